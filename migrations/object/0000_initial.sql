CREATE TABLE `accounts` (
	`provider` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`reason` text,
	`connected_at` integer NOT NULL,
	`held_until` integer,
	`hold_reason` text,
	`failures` integer DEFAULT 0 NOT NULL,
	`retry_at` integer,
	`library_read_at` integer,
	`pass_started_at` integer
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
CREATE TABLE `library_pages` (
	`provider` text NOT NULL,
	`page_key` text NOT NULL,
	`etag` text NOT NULL,
	`next_key` text,
	`size` integer NOT NULL,
	`total` integer,
	`source_ids` text NOT NULL,
	PRIMARY KEY(`provider`, `page_key`)
);
--> statement-breakpoint
CREATE TABLE `outbox` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`kind` text NOT NULL,
	`body` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `person` (
	`id` integer PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`delivery_failures` integer DEFAULT 0 NOT NULL,
	`delivery_retry_at` integer,
	`delivery_failure` text,
	`reported_at` integer,
	`is_report_due` integer DEFAULT true NOT NULL
);
--> statement-breakpoint
CREATE TABLE `polls` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`provider` text NOT NULL,
	`trigger` text NOT NULL,
	`started_at` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`outcome` text NOT NULL,
	`asked` integer NOT NULL,
	`failed` integer NOT NULL,
	`items_found` integer NOT NULL,
	`requests` integer NOT NULL
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
	`backfilled_at` integer,
	`archive_before` integer,
	`published_at` integer,
	`failures` integer DEFAULT 0 NOT NULL,
	`reason` text,
	PRIMARY KEY(`provider`, `source_id`)
);
--> statement-breakpoint
CREATE INDEX `subscriptions_by_due` ON `subscriptions` (`provider`,`due_at`);--> statement-breakpoint
CREATE TABLE `token_events` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`provider` text NOT NULL,
	`type` text NOT NULL,
	`at` integer NOT NULL,
	`detail` text,
	`is_published` integer DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`provider` text PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`sealed` blob NOT NULL,
	`expires_at` integer NOT NULL,
	`generation` integer NOT NULL,
	`exercised_at` integer NOT NULL,
	`failures` integer DEFAULT 0 NOT NULL,
	`retry_at` integer
);
