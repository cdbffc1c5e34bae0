ALTER TABLE `token_migration_status` ADD `lease` text;--> statement-breakpoint
ALTER TABLE `token_migration_status` ADD `ceiling` text;