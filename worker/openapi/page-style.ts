/** The look of the page: the system's fonts, the app's colours, light and dark by the reader's choice, one column on a phone. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--text:light-dark(oklch(.215 .012 265),oklch(.945 .004 265));--soft:light-dark(oklch(.44 .012 265),oklch(.76 .008 265));
--line:light-dark(oklch(.918 .004 265),oklch(.275 .008 265));--back:light-dark(oklch(.99 .001 265),oklch(.172 .006 265));
--block:light-dark(oklch(.968 .003 265),oklch(.215 .007 265));--link:light-dark(oklch(.52 .17 262),oklch(.74 .125 262))}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:1rem}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.55 system-ui,sans-serif;overflow-wrap:break-word}
a{color:var(--link)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-9999px}.skip:focus{left:1rem;top:1rem;background:var(--back);padding:.5rem}
.frame{display:grid;grid-template-columns:15rem minmax(0,1fr);gap:0 2.5rem;max-width:72rem;margin:0 auto;padding:1.5rem}
header{grid-column:2}main{grid-column:2}nav{grid-column:1;grid-row:1/3}
nav{position:sticky;top:1.5rem;align-self:start;max-height:calc(100vh - 3rem);overflow-y:auto;font-size:.875rem}
nav ul{list-style:none;margin:0 0 1rem;padding:0}nav li a{display:block;padding:.25rem 0;text-decoration:none}nav li a:hover{text-decoration:underline}
nav h2{font-size:.875rem;margin:0 0 .25rem;border:0;padding:0}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.25rem;margin:3rem 0 .5rem;border-top:1px solid var(--line);padding-top:1.5rem}
h3{font-size:1.0625rem;margin:2.25rem 0 .5rem}h4{font-size:.9375rem;margin:1.25rem 0 .25rem}
h3 a{color:inherit;text-decoration:none}h3 a:hover{text-decoration:underline}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.8125rem}
.path{font-size:.9375rem;overflow-wrap:anywhere}.method{font-weight:600;text-transform:uppercase}
pre{background:var(--block);border:1px solid var(--line);border-radius:6px;padding:.75rem;overflow-x:auto;margin:.5rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
.copy{user-select:all;cursor:copy}
.soft{color:var(--soft)}
dl{margin:.5rem 0}dt{margin-top:.5rem}dd{margin:0 0 0 1rem}
summary{cursor:pointer;padding:.25rem 0}
@media (max-width:48rem){.frame{display:block;padding:1rem}nav{position:static;max-height:none;columns:2;margin-top:1.5rem}nav ul{break-inside:avoid}nav h2{break-after:avoid}nav li a{padding:.375rem 0}}
`;
