package passwd

import (
	"encoding/json"
	"strconv"
	"strings"
)

// keycloak is a credential as Keycloak's realm export and admin interface
// give it. The two data fields are JSON inside of a string.
type keycloak struct {
	Type           string `json:"type"`
	SecretData     string `json:"secretData"`
	CredentialData string `json:"credentialData"`
}

type keycloakSecret struct {
	Value string `json:"value"`
	Salt  string `json:"salt"`
}

type keycloakParams struct {
	Iterations uint64              `json:"hashIterations"`
	Algorithm  string              `json:"algorithm"`
	More       map[string][]string `json:"additionalParameters"`
}

// parseKeycloak reads {"secretData": "{…}", "credentialData": "{…}"}.
func parseKeycloak(s string) (Hash, error) {
	var c keycloak
	if json.Unmarshal([]byte(s), &c) != nil {
		return Hash{}, unreadable("not a Keycloak credential")
	}
	if c.Type != "" && c.Type != "password" {
		return Hash{}, unreadable("this Keycloak credential is no password; leave it out")
	}
	var secret keycloakSecret
	if json.Unmarshal([]byte(c.SecretData), &secret) != nil {
		return Hash{}, unreadable("secretData of the Keycloak credential is not JSON in a string")
	}
	var params keycloakParams
	if json.Unmarshal([]byte(c.CredentialData), &params) != nil {
		return Hash{}, unreadable("credentialData of the Keycloak credential is not JSON in a string")
	}
	salt, err := decode64(secret.Salt)
	if err != nil {
		return Hash{}, unreadable("the salt of the Keycloak credential is not base64")
	}
	if params.Algorithm == "argon2" {
		return params.argon2(salt, secret.Value)
	}
	if !strings.HasPrefix(params.Algorithm, "pbkdf2") {
		return Hash{}, unreadable("this algorithm of the Keycloak credential is not accepted; %s", setNew)
	}
	return newPBKDF2(params.Algorithm, strconv.FormatUint(params.Iterations, 10), salt, secret.Value)
}

func (p keycloakParams) argon2(salt []byte, value string) (Hash, error) {
	if p.first("version") != "1.3" {
		return Hash{}, unreadable("only version 1.3 of argon2 is accepted; %s", setNew)
	}
	memory, err := strconv.ParseUint(p.first("memory"), 10, 32)
	if err != nil {
		return Hash{}, unreadable("the memory of the Keycloak credential is not a number")
	}
	threads, err := strconv.ParseUint(p.first("parallelism"), 10, 32)
	if err != nil {
		return Hash{}, unreadable("the parallelism of the Keycloak credential is not a number")
	}
	key, err := decode64(value)
	if err != nil {
		return Hash{}, unreadable("the value of the Keycloak credential is not base64")
	}
	return newArgon2("argon2"+p.first("type"), memory, p.Iterations, threads, salt, key)
}

func (p keycloakParams) first(name string) string {
	if v := p.More[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}
