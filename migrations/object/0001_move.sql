CREATE TABLE `operations` (
	`operation` text NOT NULL,
	`outcome` text NOT NULL,
	`count` integer NOT NULL,
	`total_ms` integer NOT NULL,
	`slowest_ms` integer NOT NULL,
	PRIMARY KEY(`operation`, `outcome`)
);
--> statement-breakpoint
ALTER TABLE `accounts` ADD `is_holder` integer DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE `accounts` ADD `epoch` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `person` ADD `is_mirrored` integer DEFAULT false NOT NULL;