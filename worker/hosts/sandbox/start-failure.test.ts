import { describe, expect, it } from "vitest";
import { classifyFailure, isSuperseded } from "./start-failure.ts";

describe("a failed start", () => {
  it.each([
    ["there is no container instance that can be provided to this durable object", "capacity"],
    ["Maximum number of running container instances exceeded. Try again later.", "capacity"],
    ["you are requesting too many containers per second", "capacity"],
    ["No such image available: registry/agent:1", "permanent"],
    ["Containers have not been enabled for this Durable Object class.", "off"],
    ["Network connection lost.", "transient"],
    ["Container exited before we could determine the container health, exit code: 1", "transient"],
    ["something nobody has seen", "transient"],
  ])("says %s: %s", (message, kind) => {
    expect(classifyFailure(new Error(message))).toBe(kind);
  });

  it("is judged by its cause too, and by errors of another realm", () => {
    expect(classifyFailure(new Error("Container failed to start", { cause: new Error("no such image") }))).toBe("permanent");
    expect(classifyFailure({ message: "There is no container instance" })).toBe("capacity");
    expect(classifyFailure("no such image")).toBe("permanent");
    const circle = new Error("a");
    circle.cause = circle;
    expect(classifyFailure(circle)).toBe("transient");
  });

  it("knows a deploy in mid-call", () => {
    expect(isSuperseded(new Error("Durable Object reset because its code was updated."))).toBe(true);
    expect(isSuperseded(new Error("Network connection lost."))).toBe(false);
  });
});
