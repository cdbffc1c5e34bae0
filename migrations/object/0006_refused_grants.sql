ALTER TABLE `accounts` ADD `pause_bounded_until` integer;--> statement-breakpoint
ALTER TABLE `tokens` ADD `refresh_begun_at` integer;--> statement-breakpoint
ALTER TABLE `tokens` ADD `refusals` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `tokens` ADD `refused_retry_at` integer;--> statement-breakpoint
UPDATE `accounts` SET `held_until` = (unixepoch() + 86400) * 1000 WHERE `hold_reason` = 'rate_limited' AND `held_until` > (unixepoch() + 86400) * 1000;--> statement-breakpoint
UPDATE `tokens` SET `refresh_limited_until` = (unixepoch() + 86400) * 1000 WHERE `refresh_limited_until` > (unixepoch() + 86400) * 1000;
