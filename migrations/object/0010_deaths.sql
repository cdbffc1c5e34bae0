ALTER TABLE `accounts` ADD `cut_offs` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `accounts` ADD `suspect_source` text;