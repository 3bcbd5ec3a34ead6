<?php
$config = [
	'admin' => ['core:AdminPassword'],
	'bench' => ['exampleauth:UserPass', 'bench:bench' => ['uid' => ['bench'], 'sn' => ['Mustermann']]],
];
