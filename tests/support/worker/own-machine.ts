/** A person's own machine, signed in as the CLI does it. */
import type { ConnectAnswerBody } from "@ai-dev-platform/protocol/machine-login";
import { fetchApp, type AppClient } from "./app-client.ts";
import { FakeMachine } from "./fake-machine.ts";

let computers = 0;

/** Every computer has an address of its own: limits are by address. */
export const newAddress = (): string => `10.7.${(computers += 1) >> 8}.${computers & 255}`;

export const postMachine = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetchApp(`/machine/${path}`, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } });

export const ABOUT = { name: "Mara's laptop", platform: "linux x64", agentVersion: "0.1.0", machineId: null };

export interface Device {
  deviceCode: string;
  userCode: string;
  url: string;
  urlWithCode: string;
  expiresInMs: number;
  intervalMs: number;
}

export async function beginDevice(machineId: string | null = null, address = newAddress()): Promise<Device> {
  const response = await postMachine("login/device", { machine: { ...ABOUT, machineId } }, { "cf-connecting-ip": address });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  return response.json<Device>();
}

export const answer = (person: AppClient, which: { login: string } | { code: string }, approve = true): Promise<ConnectAnswerBody> =>
  person.json<ConnectAnswerBody>("POST", "/api/connect", { which, approve });

export const askToken = (deviceCode: string): Promise<Response> =>
  postMachine("login/token", { kind: "device", deviceCode }, { "cf-connecting-ip": newAddress() });

export interface SignedIn {
  token: string;
  machineId: string;
  user: { name: string; email: string };
}

export async function signInMachine(person: AppClient, machineId: string | null = null): Promise<SignedIn> {
  const device = await beginDevice(machineId);
  await answer(person, { code: device.userCode });
  const response = await askToken(device.deviceCode);
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  return response.json<SignedIn>();
}

export const machineOf = ({ machineId, token }: SignedIn): FakeMachine => new FakeMachine(machineId, token);
