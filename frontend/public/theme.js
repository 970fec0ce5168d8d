// Sets the theme before first paint, so that it never flashes. The choice is "light", "dark" or absent (system).
(function () {
  var dark = matchMedia("(prefers-color-scheme: dark)");
  function apply() {
    var choice = null;
    try {
      choice = localStorage.getItem("theme");
    } catch {
      // Storage is closed to this page: follow the system.
    }
    var isDark = choice === "dark" || (choice !== "light" && dark.matches);
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    var meta = document.querySelector('meta[name="theme-color"]');
    if (meta) meta.setAttribute("content", isDark ? "#0e1014" : "#fbfcfd");
  }
  apply();
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("themechange", apply);
})();
