CREATE TABLE `browser_keys` (
	`user_id` text NOT NULL,
	`key_id` text NOT NULL,
	`public_key` text NOT NULL,
	`name` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`user_id`, `key_id`)
);
--> statement-breakpoint
ALTER TABLE `machine_logins` ADD `browser_key` text;