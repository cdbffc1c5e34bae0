ALTER TABLE `user_feed_items` ADD `arrival` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `user_feed_items_by_arrival` ON `user_feed_items` (`user_id`,`arrival`);