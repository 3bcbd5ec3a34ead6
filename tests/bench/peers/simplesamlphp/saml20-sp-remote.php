<?php
$metadata['https://portal.example/php'] = [
	'AssertionConsumerService' => 'https://portal.example/acs',
	'saml20.sign.response' => true,
	'saml20.sign.assertion' => true,
	'validate.authnrequest' => false,
];
