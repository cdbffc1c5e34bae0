CREATE TABLE `hints` (
	`source_id` text NOT NULL,
	`item_id` text NOT NULL,
	`published_at` integer NOT NULL,
	`pushed_at` integer NOT NULL,
	PRIMARY KEY(`source_id`, `item_id`)
);
--> statement-breakpoint
CREATE TABLE `pushes` (
	`source_id` text PRIMARY KEY NOT NULL,
	`asked_at` integer NOT NULL,
	`leased_until` integer,
	`told` integer DEFAULT 0 NOT NULL,
	`missed` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
ALTER TABLE `hub` ADD `push_secret` text;--> statement-breakpoint
ALTER TABLE `hub` ADD `push_retry_at` integer;