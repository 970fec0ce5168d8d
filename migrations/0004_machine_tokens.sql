CREATE TABLE `machine_logins` (
	`login_id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`status` text NOT NULL,
	`user_code` text,
	`device_code_hash` text,
	`challenge` text,
	`port` integer,
	`state` text,
	`code_hash` text,
	`machine_id` text,
	`name` text NOT NULL,
	`platform` text NOT NULL,
	`agent_version` text NOT NULL,
	`address` text,
	`country` text,
	`user_id` text,
	`interval_ms` integer NOT NULL,
	`polled_at` integer,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `machine_logins_user_code` ON `machine_logins` (`user_code`);--> statement-breakpoint
CREATE UNIQUE INDEX `machine_logins_device_code` ON `machine_logins` (`device_code_hash`);--> statement-breakpoint
CREATE INDEX `machine_logins_expires` ON `machine_logins` (`expires_at`);--> statement-breakpoint
CREATE TABLE `machine_tokens` (
	`token_hash` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`machine_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer
);
--> statement-breakpoint
CREATE INDEX `machine_tokens_user` ON `machine_tokens` (`user_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `machine_tokens_machine` ON `machine_tokens` (`machine_id`);--> statement-breakpoint
ALTER TABLE `machines` ADD `revoked_at` integer;