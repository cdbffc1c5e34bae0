CREATE TABLE `migration_runs` (
	`id` text PRIMARY KEY NOT NULL,
	`started_at` integer NOT NULL,
	`started_by` text NOT NULL,
	`parameters` text NOT NULL,
	`state` text NOT NULL,
	`progress` text NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `operator_actions` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`detail` text NOT NULL,
	`outcome` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `operator_actions_by_time` ON `operator_actions` (`at`);--> statement-breakpoint
CREATE TABLE `token_migration_history` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`user_id` text NOT NULL,
	`at` integer NOT NULL,
	`from_stage` text NOT NULL,
	`to_stage` text NOT NULL,
	`outcome` text NOT NULL,
	`reason` text,
	`run_id` text
);
--> statement-breakpoint
CREATE INDEX `token_migration_history_by_user` ON `token_migration_history` (`user_id`,`id`);--> statement-breakpoint
CREATE TABLE `token_operations` (
	`operation` text NOT NULL,
	`source` text NOT NULL,
	`outcome` text NOT NULL,
	`count` integer NOT NULL,
	`total_ms` integer NOT NULL,
	`slowest_ms` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`operation`, `source`, `outcome`)
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `durable_object_status` ADD `operations` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `token_migration_status` ADD `stage` text DEFAULT 'off' NOT NULL;--> statement-breakpoint
ALTER TABLE `token_migration_status` ADD `target` text DEFAULT 'off' NOT NULL;--> statement-breakpoint
ALTER TABLE `token_migration_status` ADD `verified_at` integer;--> statement-breakpoint
ALTER TABLE `token_migration_status` ADD `run_id` text;--> statement-breakpoint
CREATE INDEX `token_migration_status_by_stage` ON `token_migration_status` (`stage`,`user_id`);--> statement-breakpoint
ALTER TABLE `user_accounts` ADD `holder` text DEFAULT 'database' NOT NULL;--> statement-breakpoint
ALTER TABLE `user_accounts` ADD `epoch` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `user_accounts` ADD `generation` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `user_accounts` ADD `refresh_claim` text;--> statement-breakpoint
ALTER TABLE `user_accounts` ADD `refresh_claimed_until` integer;--> statement-breakpoint
ALTER TABLE `user_accounts` ADD `fenced_until` integer;--> statement-breakpoint
CREATE INDEX `user_accounts_by_holder` ON `user_accounts` (`holder`,`user_id`,`provider`);--> statement-breakpoint
ALTER TABLE `user_subscriptions` ADD `polled_at` integer;--> statement-breakpoint
ALTER TABLE `user_subscriptions` ADD `item_count` integer;