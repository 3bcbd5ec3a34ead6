<?php
$$config = [
	'admin' => ['core:AdminPassword'],
	'people' => ['exampleauth:UserPass', 'ida:${password}' => [
		'uid' => ['ida@${host}'],
		'urn:oid:2.5.4.42' => ['Ida'],
		'urn:oid:2.5.4.4' => ['Ausland'],
		'urn:oid:0.9.2342.19200300.100.1.3' => ['ida@example.org'],
	]],
];
