/** Keys of other providers, the model of a project, and a deployment without coding sessions, on the screen. */
import { describe, expect, it } from "vitest";
import { PHONE } from "../support/node/browser.ts";
import { expectAccessible, open, PHONES, Programs, providerKey, setUpScreens } from "./scripted-programs.ts";
import { ScriptedSession } from "./scripted-session.ts";

setUpScreens();

describe("keys of other providers", () => {
  it("are checked, stored, tested and removed, one for each provider that is offered", async () => {
    const programs = new Programs();
    programs.keys = [providerKey("anthropic", { models: ["claude-sonnet-5"] })];
    const { page } = await open(programs, { path: "/settings/api-key" });
    const others = page.getByRole("region", { name: "Other providers" });
    await others.getByText("OpenRouter", { exact: true }).waitFor();
    await expectAccessible(page, "keys-none");
    await others.getByRole("button", { name: "Add a key for OpenAI" }).click();
    await page.getByRole("button", { name: "Check and save" }).click();
    await page.getByText("Paste a key first.").waitFor();
    await page.getByLabel("API key", { exact: true }).fill("sk-test-0123456789");
    programs.refusal = { status: 422, code: "key_invalid", message: "The provider refused this key." };
    await page.getByRole("button", { name: "Check and save" }).click();
    await page.getByText("The provider refused this key.").waitFor();
    await expectAccessible(page, "keys-refused");
    expect(await page.getByLabel("API key", { exact: true }).inputValue()).toBe("sk-test-0123456789");
    await page.getByRole("button", { name: "Check and save" }).click();
    await others.getByText("3 models", { exact: false }).waitFor();
    await others.getByRole("button", { name: "Add a key for another provider" }).click();
    await page.getByLabel("Address", { exact: true }).fill("https://llm.example.com/v1");
    await page.getByLabel("API key", { exact: true }).fill("secret");
    await expectAccessible(page, "keys-custom");
    await page.getByRole("button", { name: "Check and save" }).click();
    await others.getByText("https://llm.example.com/v1").waitFor();
    await others.scrollIntoViewIfNeeded();
    await expectAccessible(page, "keys");
    await others.getByRole("button", { name: "Remove the key for OpenAI…" }).click();
    await page.getByRole("button", { name: "Remove the key", exact: true }).click();
    await others.getByRole("button", { name: "Add a key for OpenAI" }).waitFor();
    expect(programs.keys.map(({ provider }) => provider)).toEqual(["anthropic", "custom"]);
  });

  it("fit a phone", async () => {
    const programs = new Programs();
    programs.keys = [
      providerKey("anthropic", { models: ["claude-sonnet-5"] }),
      providerKey("openrouter", { status: "no_credit" }),
      providerKey("custom", { baseUrl: "https://models.internal-gateway.example.com/openai/v1", status: "refused" }),
    ];
    const { page } = await open(programs, { path: "/settings/api-key", ...PHONES });
    const others = page.getByRole("region", { name: "Other providers" });
    await others.getByText("Out of credit").waitFor();
    await others.evaluate((section) => section.scrollIntoView());
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
    await expectAccessible(page, "keys-phone");
  });

  it("stand out of the way where the operator offers none", async () => {
    const session = new ScriptedSession();
    session.config = { features: { agent: true, execute: true, api: true, providers: ["anthropic"] } };
    const { page } = await open(new Programs(), { path: "/settings/api-key" }, session);
    await page.getByText("No key is stored.").waitFor();
    expect(await page.getByText("Other providers").count()).toBe(0);
  });
});

describe("a project", () => {
  it("says by which names programs reach it, and takes the model that answers for it", async () => {
    const programs = new Programs();
    programs.keys = [providerKey("openai")];
    const session = new ScriptedSession();
    const { page } = await open(programs, { path: `/p/${session.projectId}` }, session);
    await page.getByText(`agent:${session.projectId}`).waitFor();
    await page.getByLabel("Direct answers come from").selectOption({ label: "OpenRouter" });
    await page.getByText("No key for OpenRouter is stored yet.", { exact: false }).waitFor();
    await page.getByLabel("Direct answers come from").selectOption({ label: "OpenAI" });
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Enter the name of a model.").waitFor();
    await page.getByLabel("Model", { exact: true }).fill("gpt-5-mini");
    await expectAccessible(page, "project");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved", { exact: true }).waitFor();
    expect(programs.projectPatches).toEqual([{ model: { provider: "openai", model: "gpt-5-mini" } }]);
  });
});

it("says where coding sessions are switched off, in place of a form that would fail", async () => {
  const session = new ScriptedSession();
  session.config = { features: { agent: false, execute: false, api: true, providers: ["openai"] } };
  const { page } = await open(new Programs(), { path: "/new" }, session);
  await page.getByRole("heading", { name: "Coding sessions are switched off here" }).waitFor();
  expect(await page.getByRole("textbox", { name: "Prompt" }).count()).toBe(0);
  await expectAccessible(page, "agent-off");
  await page.getByRole("link", { name: "Open Settings, API" }).click();
  await page.getByRole("heading", { name: "Use this from your own program" }).waitFor();
  expect(await page.getByRole("region", { name: "Webhooks" }).count()).toBe(0);
});
