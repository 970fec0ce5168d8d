/**
 * The OpenAPI document as a page: without a script, so that it works under the strictest policy and the browser's own search
 * finds everything. Rendered from the same rows and schemas as the document. SPEC AD2.
 */
import { WEBHOOK_EVENTS, type WebhookEvent } from "@ai-dev-platform/protocol/api/webhooks";
import { ERRORS } from "@ai-dev-platform/protocol/errors";
import { html, raw } from "hono/html";
import { samplePayload } from "../webhooks/sample.ts";
import { curlOf } from "./curl.ts";
import { buildDocument, errorsOf, OPERATIONS, EXAMPLE_TIME, shownCode, WEBHOOK_WORDS, type OpenApiDocument } from "./document.ts";
import { TAGS, type Answer, type Operation, type Parameter, type Tag } from "./operation.ts";
import { PAGE_STYLE } from "./page-style.ts";

type Html = ReturnType<typeof html>;

let rendered: { origin: string; page: Html } | null = null;

export function docsPage(origin: string): Html {
  if (rendered?.origin !== origin) rendered = { origin, page: pageOf(buildDocument(origin), OPERATIONS, origin) };
  return rendered.page;
}

function pageOf(document: OpenApiDocument, all: readonly Operation[], origin: string): Html {
  const tags = Object.keys(TAGS).filter(isTag);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>API · AI Dev Platform</title>
        <style>
          ${raw(PAGE_STYLE)}
        </style>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <div class="frame">
          <header>
            <h1>API</h1>
            <p>${words(String(document.info["summary"]))} <span class="soft">Version ${document.info["version"]}.</span></p>
            <p>${words(String(document.info["description"]))}</p>
            <p>Click a command to select it whole. <code>$TOKEN</code> stands for your token.</p>
          </header>
          <nav aria-label="Contents">
            ${tags.map((tag) => contentsOf(tag, all))}
            <h2>More</h2>
            <ul>
              <li><a href="#webhooks">Webhooks</a></li>
              <li><a href="#schemas">Schemas</a></li>
              <li><a href="/v1/openapi.json">openapi.json</a></li>
              <li><a href="/">The app</a></li>
            </ul>
          </nav>
          <main id="content" tabindex="-1">${tags.map((tag) => sectionOf(tag, all, origin))} ${webhooksOf()} ${schemasOf(document)}</main>
        </div>
      </body>
    </html>`;
}

const isTag = (name: string): name is Tag => Object.hasOwn(TAGS, name);
const inTag = (tag: Tag, all: readonly Operation[]) => all.filter((operation) => operation.tag === tag);

const contentsOf = (tag: Tag, all: readonly Operation[]): Html =>
  html`<h2>${tag}</h2>
    <ul>
      ${inTag(tag, all).map(({ id, summary }) => html`<li><a href="#${id}">${summary}</a></li>`)}
    </ul>`;

const sectionOf = (tag: Tag, all: readonly Operation[], origin: string): Html =>
  html`<section aria-labelledby="tag-${tag}">
    <h2 id="tag-${tag}">${tag}</h2>
    <p>${words(TAGS[tag])}</p>
    ${inTag(tag, all).map((operation) => operationOf(operation, origin))}
  </section>`;

function operationOf(operation: Operation, origin: string): Html {
  const { id, method, path, summary, description, scopes, parameters = [], body, isIdempotent, answers } = operation;
  const curl = curlOf(operation, origin);
  return html`<article aria-labelledby="${id}">
    <h3 id="${id}"><a href="#${id}">${summary}</a></h3>
    <p class="path">
      <code><span class="method">${method}</span> ${path}</code>
    </p>
    <p>${words(description)}</p>
    <p class="soft">${neededOf(scopes)}${isIdempotent === true ? html` Takes an <code>Idempotency-Key</code>.` : ""}</p>
    ${curl === null ? html`<p>Open it with a WebSocket client; the token goes in the header.</p>` : html`<pre class="copy" tabindex="0" aria-label="Command: ${summary}"><code>${curl}</code></pre>`}
    ${parameters.length === 0 ? "" : parametersOf(parameters)}
    ${body === undefined ? "" : html`<p>Body: <a href="#schema-${body.schema}">${body.schema}</a></p>`}
    <h4>Answers</h4>
    <dl>${answers.map(answerOf)}</dl>
    ${errorsPart(operation)}
  </article>`;
}

function neededOf(scopes: Operation["scopes"]): Html {
  if (scopes === null) return html`No token.`;
  if (scopes.length === 0) return html`Any token.`;
  return html`Scope ${scopes.map((scope) => html`<code>${scope}</code>`)}.`;
}

const parametersOf = (parameters: readonly Parameter[]): Html =>
  html`<h4>Parameters</h4>
    <dl>
      ${parameters.map(
        (parameter) =>
          html`<dt><code>${parameter.name}</code> <span class="soft">${parameter.in}</span></dt>
            <dd>${words(parameter.description)}</dd>`,
      )}
    </dl>`;

function answerOf({ status, description, schema, example, stream, headers = {} }: Answer): Html {
  return html`<dt><code>${status}</code> ${schema === undefined ? "" : html`<a href="#schema-${schema}">${schema}</a>`}</dt>
    <dd>
      ${words(description)} ${Object.entries(headers).map(([name, text]) => html`<br />Header <code>${name}</code>: ${words(text)}`)}
      ${example === undefined ? "" : exampleOf("Example", JSON.stringify(example, null, 2))}
      ${
        stream === undefined
          ? ""
          : html`<p>As a stream: ${words(stream.description)}</p>
              ${exampleOf("Example of the stream", stream.example)}`
      }
    </dd>`;
}

const exampleOf = (title: string, text: string): Html =>
  html`<details>
    <summary>${title}</summary>
    <pre tabindex="0"><code>${text}</code></pre>
  </details>`;

function errorsPart(operation: Operation): Html | "" {
  const codes = errorsOf(operation);
  if (codes.length === 0) return "";
  return html`<details>
    <summary>Errors</summary>
    <dl>
      ${codes.map(
        (code) =>
          html`<dt><code>${ERRORS[code].status}</code> <code>${shownCode(code)}</code></dt>
            <dd>${ERRORS[code].message}</dd>`,
      )}
    </dl>
  </details>`;
}

const webhooksOf = (): Html =>
  html`<section aria-labelledby="webhooks">
    <h2 id="webhooks">Webhooks</h2>
    <p>
      Settings, API registers addresses. Each delivery carries <code>webhook-id</code>, <code>webhook-timestamp</code> and
      <code>webhook-signature</code>, as the Standard Webhooks specification has them; libraries for it exist in most languages.
    </p>
    ${WEBHOOK_EVENTS.map(webhookOf)}
  </section>`;

const webhookOf = (event: WebhookEvent): Html =>
  html`<h3 id="webhook-${event}"><code>${event}</code></h3>
    <p>${words(WEBHOOK_WORDS[event])} Body: <a href="#schema-WebhookPayload">WebhookPayload</a></p>
    ${exampleOf("Example", JSON.stringify(samplePayload(event, EXAMPLE_TIME), null, 2))}`;

function schemasOf({ components }: OpenApiDocument): Html {
  const schemas = Object.entries(components["schemas"] ?? {});
  return html`<section aria-labelledby="schemas">
    <h2 id="schemas">Schemas</h2>
    ${schemas.map(
      ([name, schema]) =>
        html`<h3 id="schema-${name}"><a href="#schema-${name}">${name}</a></h3>
          <pre tabindex="0" aria-label="Schema ${name}"><code>${JSON.stringify(schema, null, 2)}</code></pre>`,
    )}
  </section>`;
}

/** Text with `code` in it. */
const words = (text: string): (Html | string)[] =>
  text.split("`").map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`));
