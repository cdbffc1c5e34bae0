ALTER TABLE `user_accounts` ADD `authorized_at` integer;--> statement-breakpoint
ALTER TABLE `user_accounts` ADD `client` text;