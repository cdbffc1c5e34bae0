ALTER TABLE `hub` ADD `suspect` text;--> statement-breakpoint
ALTER TABLE `watched` ADD `shunned_until` integer;