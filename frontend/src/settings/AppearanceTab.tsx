import { Monitor, Moon, Sun } from "lucide-react";
import { Choice } from "../ui/choice.tsx";
import { t } from "./messages.ts";
import { setTheme, THEMES, useTheme, type Theme } from "./theme.ts";

const ICONS: Record<Theme, typeof Sun> = { system: Monitor, light: Sun, dark: Moon };

export function AppearanceTab() {
  const theme = useTheme();
  return (
    <div>
      <Choice
        inline
        label={t.appearance.theme}
        value={theme}
        onChange={setTheme}
        options={THEMES.map((value) => {
          const Icon = ICONS[value];
          return { value, label: t.appearance.themes[value], icon: <Icon aria-hidden /> };
        })}
      />
      <p className="mt-2 text-label text-fg-3">{t.appearance.about}</p>
    </div>
  );
}
