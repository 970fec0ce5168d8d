/**
 * The Pages project's only code: requests that are the Worker's go to it over the service binding, as they came,
 * WebSocket upgrades included. Which ones those are stands in _routes.json, made from wrangler.toml on deployment.
 */
export const onRequest: PagesFunction<{ WORKER: Fetcher }> = ({ request, env }) => env.WORKER.fetch(request);
