ALTER TABLE `accounts` ADD `rhythm` text;--> statement-breakpoint
ALTER TABLE `accounts` ADD `look_at` integer;