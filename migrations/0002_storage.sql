CREATE TABLE `imports` (
	`import_id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`format` text NOT NULL,
	`bytes` integer NOT NULL,
	`project_id` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `imports_user` ON `imports` (`user_id`);--> statement-breakpoint
ALTER TABLE `sessions` ADD `stored_bytes` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `sessions` ADD `head_snapshot_id` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `saved_at` integer;