import { expect, it } from "vitest";
import { httpsForm } from "./repository.ts";

it.each([
  ["git@github.com:octo/repo.git", "https://github.com/octo/repo.git"],
  ["ssh://git@github.com/octo/repo.git", "https://github.com/octo/repo.git"],
  ["ssh://git@github.com:22/octo/repo", "https://github.com/octo/repo"],
  ["ssh://git@git.example.com:2222/octo/repo", "ssh://git@git.example.com:2222/octo/repo"],
  ["https://github.com/octo/repo", "https://github.com/octo/repo"],
  ["http://127.0.0.1:8080/repo", "http://127.0.0.1:8080/repo"],
  ["/home/mara/repo", "/home/mara/repo"],
  ["git@github.com:/srv/repo.git", "git@github.com:/srv/repo.git"],
  ["git@github.com:-option", "git@github.com:-option"],
  ["not an address", "not an address"],
])("%s is %s over https", (url, expected) => {
  expect(httpsForm(url)).toBe(expected);
});
