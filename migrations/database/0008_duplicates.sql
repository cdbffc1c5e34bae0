CREATE TABLE `migration_duplicates` (
	`run_id` text NOT NULL,
	`user_id` text NOT NULL,
	PRIMARY KEY(`run_id`, `user_id`)
) WITHOUT ROWID;
