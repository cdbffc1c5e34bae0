CREATE TABLE `durable_object_metrics` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`kind` text NOT NULL,
	`figures` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `durable_object_metrics_by_kind` ON `durable_object_metrics` (`kind`,`at`);--> statement-breakpoint
CREATE TABLE `durable_object_status` (
	`user_id` text PRIMARY KEY NOT NULL,
	`durable_object_id` text NOT NULL,
	`reported_at` integer NOT NULL,
	`expected_by` integer,
	`next_due_at` integer,
	`sources` integer NOT NULL,
	`failing_sources` integer NOT NULL,
	`accounts` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `durable_object_status_by_expected` ON `durable_object_status` (`expected_by`,`user_id`);--> statement-breakpoint
CREATE TABLE `feature_flags` (
	`name` text PRIMARY KEY NOT NULL,
	`is_enabled` integer DEFAULT false NOT NULL,
	`percentage` real DEFAULT 0 NOT NULL,
	`allow_list` text DEFAULT '[]' NOT NULL,
	`deny_list` text DEFAULT '[]' NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `feed_items` (
	`provider` text NOT NULL,
	`external_id` text NOT NULL,
	`source_id` text NOT NULL,
	`kind` text NOT NULL,
	`title` text NOT NULL,
	`description` text NOT NULL,
	`url` text NOT NULL,
	`image_url` text,
	`published_at` integer NOT NULL,
	`precision` text NOT NULL,
	`duration_ms` integer,
	`is_live` integer DEFAULT false NOT NULL,
	PRIMARY KEY(`provider`, `external_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `subscriptions` (
	`provider` text NOT NULL,
	`external_id` text NOT NULL,
	`title` text NOT NULL,
	`url` text NOT NULL,
	`image_url` text,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`provider`, `external_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `token_migration_status` (
	`user_id` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`reason` text,
	`attempts` integer DEFAULT 0 NOT NULL,
	`next_attempt_at` integer,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `token_migration_status_by_state` ON `token_migration_status` (`state`,`user_id`);--> statement-breakpoint
CREATE TABLE `user_accounts` (
	`user_id` text NOT NULL,
	`provider` text NOT NULL,
	`is_active` integer DEFAULT true NOT NULL,
	`state` text DEFAULT 'connected' NOT NULL,
	`updated_at` integer NOT NULL,
	`access_token` text,
	`refresh_token` text,
	`expires_at` integer,
	`scope` text,
	PRIMARY KEY(`user_id`, `provider`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `user_feed_items` (
	`user_id` text NOT NULL,
	`published_at` integer NOT NULL,
	`provider` text NOT NULL,
	`external_id` text NOT NULL,
	`is_backfill` integer NOT NULL,
	`delivered_at` integer NOT NULL,
	PRIMARY KEY(`user_id`, `published_at`, `provider`, `external_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `user_subscriptions` (
	`user_id` text NOT NULL,
	`provider` text NOT NULL,
	`external_id` text NOT NULL,
	`followed_at` integer NOT NULL,
	PRIMARY KEY(`user_id`, `provider`, `external_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`durable_object_id` text,
	`created_at` integer NOT NULL
) WITHOUT ROWID;
