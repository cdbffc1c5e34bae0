DROP INDEX `subscriptions_by_due`;--> statement-breakpoint
CREATE INDEX `items_waiting` ON `items` (`provider`,`recheck_at`) WHERE state = 'waiting';