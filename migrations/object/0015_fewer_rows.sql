CREATE TABLE `__new_outbox` (
	`id` integer PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`body` text NOT NULL
);
--> statement-breakpoint
INSERT INTO `__new_outbox`("id", "kind", "body") SELECT "id", "kind", "body" FROM `outbox`;--> statement-breakpoint
DROP TABLE `outbox`;--> statement-breakpoint
ALTER TABLE `__new_outbox` RENAME TO `outbox`;--> statement-breakpoint
ALTER TABLE `tokens` ADD `is_rotated` integer;--> statement-breakpoint
CREATE TABLE `new_items` (
	`provider` text NOT NULL,
	`source_id` text NOT NULL,
	`item_id` text NOT NULL,
	`published_at` integer NOT NULL,
	`seen_at` integer NOT NULL,
	`state` text NOT NULL,
	`recheck_at` integer,
	PRIMARY KEY(`provider`, `source_id`, `item_id`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `new_items` SELECT `provider`, `source_id`, `item_id`, `published_at`, `seen_at`, `state`, `recheck_at` FROM `items`;--> statement-breakpoint
DROP TABLE `items`;--> statement-breakpoint
ALTER TABLE `new_items` RENAME TO `items`;--> statement-breakpoint
CREATE INDEX `items_waiting` ON `items` (`provider`,`recheck_at`) WHERE state = 'waiting';