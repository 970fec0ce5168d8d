CREATE TABLE `allowed_hosts` (
	`user_id` text NOT NULL,
	`host` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`user_id`, `host`)
);
--> statement-breakpoint
CREATE TABLE `git_credentials` (
	`credential_id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`host` text NOT NULL,
	`username` text NOT NULL,
	`fmt` integer NOT NULL,
	`kek_id` text,
	`dek_iv` blob,
	`dek_ct` blob,
	`data_iv` blob,
	`data_ct` blob,
	`row_version` integer NOT NULL,
	`last4` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `git_credentials_user_host` ON `git_credentials` (`user_id`,`host`);--> statement-breakpoint
ALTER TABLE `sessions` ADD `host` text DEFAULT 'machine' NOT NULL;--> statement-breakpoint
ALTER TABLE `sessions` ADD `size` text DEFAULT 'standard-1' NOT NULL;--> statement-breakpoint
ALTER TABLE `sessions` ADD `host_seconds` real DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `sessions` ADD `host_cost_usd` real DEFAULT 0 NOT NULL;