CREATE TABLE `api_tokens` (
	`token_id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`name` text NOT NULL,
	`token_hash` text NOT NULL,
	`last4` text NOT NULL,
	`scopes` text NOT NULL,
	`budget_usd` real,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`last_used_at` integer,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_tokens_hash` ON `api_tokens` (`token_hash`);--> statement-breakpoint
CREATE INDEX `api_tokens_user` ON `api_tokens` (`user_id`);--> statement-breakpoint
CREATE TABLE `webhooks` (
	`webhook_id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`url` text NOT NULL,
	`events` text NOT NULL,
	`fmt` integer NOT NULL,
	`kek_id` text,
	`dek_iv` blob,
	`dek_ct` blob,
	`data_iv` blob,
	`data_ct` blob,
	`row_version` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `webhooks_user` ON `webhooks` (`user_id`);--> statement-breakpoint
ALTER TABLE `projects` ADD `model_provider` text;--> statement-breakpoint
ALTER TABLE `projects` ADD `model_name` text;--> statement-breakpoint
ALTER TABLE `projects` ADD `is_for_api` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `provider_keys` ADD `base_url` text;