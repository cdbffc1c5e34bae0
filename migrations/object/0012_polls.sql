CREATE TABLE `__new_polls` (
	`id` integer PRIMARY KEY NOT NULL,
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
INSERT INTO `__new_polls`("id", "provider", "trigger", "started_at", "duration_ms", "outcome", "asked", "failed", "items_found", "requests") SELECT "id", "provider", "trigger", "started_at", "duration_ms", "outcome", "asked", "failed", "items_found", "requests" FROM `polls`;--> statement-breakpoint
DROP TABLE `polls`;--> statement-breakpoint
ALTER TABLE `__new_polls` RENAME TO `polls`;