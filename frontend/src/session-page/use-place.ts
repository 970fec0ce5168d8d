import { useCallback } from "react";
import { useLocation, useSearch } from "wouter";
import { readPlace, writePlace, type PanelPlace } from "./panel-url.ts";

/** Where the workbench stands, kept in the address. A new file is a step back in the browser's history; a closed panel is not. */
export function usePlace(): [PanelPlace, (place: PanelPlace) => void] {
  const [path, navigate] = useLocation();
  const search = useSearch();
  const place = readPlace(search);
  const setPlace = useCallback(
    (next: PanelPlace) => navigate(path + writePlace(search, next), { replace: next.file === null }),
    [navigate, path, search],
  );
  return [place, setPlace];
}
