/**
 * What the frame shows beside the page: the sidebar (on a wide screen by choice, remembered; on a narrow one as a drawer)
 * and one overlay at a time.
 */
import { useSyncExternalStore } from "react";

const STORAGE_KEY = "sidebar";

export type Overlay = "new_session" | "palette" | "shortcuts" | null;

interface ShellState {
  isSidebarHidden: boolean;
  isDrawerOpen: boolean;
  overlay: Overlay;
}

const readHidden = (): boolean => {
  try {
    return localStorage.getItem(STORAGE_KEY) === "hidden";
  } catch {
    return false;
  }
};

let state: ShellState = { isSidebarHidden: readHidden(), isDrawerOpen: false, overlay: null };
const listeners = new Set<() => void>();

function set(change: Partial<ShellState>): void {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useShellState = (): ShellState => useSyncExternalStore(subscribe, () => state);

export const shell = {
  /** Opens the list as a drawer; for the button in a phone's header. */
  openDrawer: () => set({ isDrawerOpen: true }),
  setDrawer: (isDrawerOpen: boolean) => set({ isDrawerOpen }),
  setOverlay: (overlay: Overlay) => set({ overlay, isDrawerOpen: false }),
  setNewSession: (isOpen: boolean) => shell.setOverlay(isOpen ? "new_session" : null),
  /** ⌘B: the sidebar where it fits, the drawer where it does not. */
  toggleSidebar: () => {
    if (!matchMedia("(min-width: 1024px)").matches) {
      set({ isDrawerOpen: !state.isDrawerOpen });
      return;
    }
    const isSidebarHidden = !state.isSidebarHidden;
    set({ isSidebarHidden });
    try {
      localStorage.setItem(STORAGE_KEY, isSidebarHidden ? "hidden" : "shown");
    } catch {
      // Storage is closed to this page: the choice lasts until the page is left.
    }
  },
};
