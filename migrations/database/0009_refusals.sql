ALTER TABLE `user_accounts` ADD `refusals` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `user_accounts` ADD `refresh_retry_at` integer;