ALTER TABLE `tokens` ADD `authorized_at` integer;--> statement-breakpoint
ALTER TABLE `tokens` ADD `client` text;--> statement-breakpoint
ALTER TABLE `tokens` ADD `warned_days` integer;