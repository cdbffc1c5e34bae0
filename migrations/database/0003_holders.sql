-- Who connected before there were holders did so in their own object, and D1 has no token of theirs: the object holds the account.
UPDATE `user_accounts` SET `holder` = 'object' WHERE `access_token` IS NULL AND `refresh_token` IS NULL
  AND `user_id` IN (SELECT `id` FROM `users` WHERE `durable_object_id` IS NOT NULL);
