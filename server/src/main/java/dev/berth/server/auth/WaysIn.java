package dev.berth.server.auth;

/** The ways in which a principal can say who it is. */
public record WaysIn(Authenticator tokens, SignatureAuthenticator signatures, AwsAuthenticator aws) {}
