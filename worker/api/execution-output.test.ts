import { describe, expect, it } from "vitest";
import { ExecutionOutput } from "./execution-output.ts";

const piece = (offset: number, text: string) =>
  ({ type: "execution_output", executionId: "exe_1", stream: "stdout", offset, text }) as const;

describe("what a reader gets of an output", () => {
  it("[EX6] is each text once, whatever is told twice", () => {
    const output = new ExecutionOutput(100);
    expect(output.take(piece(0, "one "))).toEqual({ stream: "stdout", text: "one " });
    expect(output.take(piece(0, "one "))).toBeNull();
    expect(output.take(piece(2, "e two"))).toEqual({ stream: "stdout", text: "two" });
    expect(output.finish({ stdout: "one two", stderr: "bad" })).toEqual([{ stream: "stderr", text: "bad" }]);
  });
  it("[EX6] waits after a gap for the end, which brings the rest", () => {
    const output = new ExecutionOutput(100);
    output.take(piece(0, "one "));
    expect(output.take(piece(8, "three"))).toBeNull();
    expect(output.finish({ stdout: "one two three", stderr: "" })).toEqual([{ stream: "stdout", text: "two three" }]);
  });
  it("[EX6] passes over a gap where nothing is kept", () => {
    const output = new ExecutionOutput(4);
    output.take(piece(0, "one "));
    expect(output.take(piece(8, "three"))).toEqual({ stream: "stdout", text: "three" });
    expect(output.finish({ stdout: "one ", stderr: "" })).toEqual([]);
  });
});
