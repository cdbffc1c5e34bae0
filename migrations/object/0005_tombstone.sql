CREATE TABLE `tombstone` (
	`id` integer PRIMARY KEY NOT NULL,
	`forgotten_at` integer NOT NULL,
	`epoch` integer NOT NULL
);
