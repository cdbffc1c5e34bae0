CREATE TABLE `hub` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`looked_until` integer NOT NULL,
	`feeds_out_since` integer,
	`api_limited_until` integer,
	`spare_day` integer DEFAULT 0 NOT NULL,
	`spare_looks` integer DEFAULT 0 NOT NULL,
	`delivery_failures` integer DEFAULT 0 NOT NULL,
	`delivery_retry_at` integer
);
--> statement-breakpoint
CREATE TABLE `items` (
	`provider` text NOT NULL,
	`source_id` text NOT NULL,
	`item_id` text NOT NULL,
	`published_at` integer NOT NULL,
	`seen_at` integer NOT NULL,
	`state` text NOT NULL,
	`recheck_at` integer,
	PRIMARY KEY(`provider`, `source_id`, `item_id`)
);
--> statement-breakpoint
CREATE INDEX `items_waiting` ON `items` (`provider`,`recheck_at`) WHERE state = 'waiting';--> statement-breakpoint
CREATE TABLE `listings` (
	`source_id` text PRIMARY KEY NOT NULL,
	`listing` text NOT NULL,
	`read_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `outbox` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`kind` text NOT NULL,
	`body` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `set_aside` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`kind` text NOT NULL,
	`body` text NOT NULL,
	`reason` text NOT NULL,
	`refused_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `subscriptions` (
	`provider` text NOT NULL,
	`source_id` text NOT NULL,
	`title` text NOT NULL,
	`url` text NOT NULL,
	`image_url` text,
	`followed_at` integer NOT NULL,
	`item_count` integer,
	`listed_count` integer,
	`etag` text,
	`state` text DEFAULT 'active' NOT NULL,
	`is_pending` integer DEFAULT true NOT NULL,
	`is_count_unreliable` integer DEFAULT false NOT NULL,
	`verify_at` integer NOT NULL,
	`interval_ms` integer NOT NULL,
	`due_at` integer NOT NULL,
	`polled_at` integer,
	`watched_at` integer,
	`backfilled_at` integer,
	`archive_before` integer,
	`published_at` integer,
	`failures` integer DEFAULT 0 NOT NULL,
	`reason` text,
	PRIMARY KEY(`provider`, `source_id`)
);
--> statement-breakpoint
CREATE TABLE `watched` (
	`source_id` text PRIMARY KEY NOT NULL,
	`asked_at` integer NOT NULL,
	`followers` integer DEFAULT 1 NOT NULL,
	`counted_at` integer NOT NULL,
	`rhythm` text,
	`requested_at` integer,
	`feed_failures` integer DEFAULT 0 NOT NULL,
	`is_unfinished` integer DEFAULT false NOT NULL
);
