package passwd

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

const persimmon = "Kaki-no-ki 柿 7"

var long = "長い" + strings.Repeat("x", 90)

// vectors were made by the programs named, none of them this one.
var vectors = []struct {
	by, scheme, encoded, password string
}{
	{"slappasswd", "ssha", "{SSHA}eW8uXNHzfEhr/hEV906wjSlPayDiTVi5", persimmon},
	{"slappasswd", "sha", "{SHA}zVF63YRr5L0hIVJ3iyFWm73EayY=", persimmon},
	{"slappasswd", "smd5", "{SMD5}iezGSYMxpR3KAiNwrQcvar1EtzI=", persimmon},
	{"slappasswd", "md5", "{MD5}m/5DVXylSHTvjftgPu7l9Q==", persimmon},
	{"python3 hashlib", "md5", "{MD5}9bfe43557ca54874ef8dfb603eeee5f5", persimmon},
	{"slappasswd pw-sha2", "sha256", "{SHA256}EXYkfnDfMtmZY+F5RFGlhX2h5rwaMKqoy8Zm66McOi4=", persimmon},
	{"slappasswd pw-sha2", "ssha256", "{SSHA256}55V1tR05Z5xwKfCTUIYOn0+EsaQerN+XHtrE3W/SXCgJQ/I12DcM+A==", persimmon},
	{"slappasswd pw-sha2", "sha384", "{SHA384}ajPfbQ5n9p3wxnB3v7LlQjgZDTo+WkPQ8N1P0LpmXwERXM24AoBvNLgLMVPjPNsZ", persimmon},
	{"slappasswd pw-sha2", "ssha384", "{SSHA384}Aoc/WJjNiHMsdmj6gGYpPfBxcpYYN5ptq3iuTZjp3fQlfx3PYwVyOoZXMfs00uLrrb02Lmz4ZHs=", persimmon},
	{"slappasswd pw-sha2", "sha512", "{SHA512}VtKysq0/wuSB3gUMi9dDHuPAdxkrOI+VnjUhQWgSWomwwXoUvakCw5r4dN65UbMMW49bv3HyLODtw5bSLHAhWw==", persimmon},
	{"slappasswd pw-sha2", "ssha512", "{ssha512}Avm57JJOSjk5m2O1cIM8Luicz8aPzQwBgX/V0UKgpNbXz6Dd3P/xg1iVmzEIjL8UiqAARU4Y3hfYmjoD55XHKZAUKGt9ozE5", persimmon},

	{"openssl passwd -1", "md5-crypt", "$1$saltsalt$WcgEBMqo3fx00Lu40yPig1", persimmon},
	{"mkpasswd", "md5-crypt", "{CRYPT}$1$tMpetuZf$9fUeqoxGGSqh0lv847Ww5/", persimmon},
	{"python3 crypt", "md5-crypt", "$1$$PuRvfaqARnXA37IWYtbmw/", persimmon},
	{"python3 crypt", "md5-crypt", "$1$saltsalt$gt9xFmzSFUdGN9MurYPlV.", long},
	{"openssl passwd -apr1", "apr1", "$apr1$saltsalt$f9gVe0jBbZG/aGTmTPYI2/", persimmon},
	{"htpasswd -m", "apr1", "$apr1$RwL8n0Rg$oRLsOcd4UdS2j8YPYJ4MS0", persimmon},
	{"openssl passwd -apr1", "apr1", "$apr1$$jYtXyIcDHukcQfHjblNhq/", "x"},
	{"openssl passwd -5", "sha256-crypt", "$5$saltsalt$rUXgxpDujLXFA25VxUGrnQfj.kJ7bJ2mdHCtsgPnfsC", persimmon},
	{"mkpasswd", "sha256-crypt", "{crypt}$5$rounds=1000$oON6UUwsyvfQs7Fr$E/5js85tsafZz28t35FNjrOd4.XEEgUpOrtQj3Zcfn1", persimmon},
	{"python3 crypt", "sha256-crypt", "$5$saltsalt$N91v7LE8SO8/AujfHhGyI4BXT56CzMW1kl2AhuL2CY8", long},
	{"openssl passwd -6", "sha512-crypt", "$6$saltsalt$cs99ysD//0mCCwppzXM.MNFKvDxgpI.J00Cup9F3P0TZ1gZMnfH4olpZliw5mY/DlKmSzYgT.mmBj5H6z2osD.", persimmon},
	{"mkpasswd", "sha512-crypt", "$6$rounds=2000$bSFolA3WzS68KCVc$ymRMfFbVyJxjlaIw/FEiWmKplzD7ZRIJLvSNBDF9sWLot6nBDibZvMdJIDJcWck6K4oQmi4x46Jht4uMj5/HR0", persimmon},
	{"python3 crypt", "sha512-crypt", "$6$$odrmvapbTtLR1O26C6YpHR488Si6A1vmbWs5I4640tVioF5xEZRlXJGY4FFH7HiJCE19srDLkUnHnSsumhQty1", persimmon},
	{"python3 crypt", "sha512-crypt", "$6$saltsalt$WgPKty6MF0JWJrheiM0gKV/lxWEoM7HHpldxTOnI3aR0YSG5DzieGaFRsgKFx8DCmY99umOcaJEp93uXjg7p31", long},
	{"htpasswd -B", "bcrypt", "$2y$05$YT7l5JLFpBehg4Bw5GJVlOXG7MfuYu.ydZqHsNtpKQeh9Uep6eKYm", persimmon},
	{"mkpasswd", "bcrypt", "{CRYPT}$2b$05$px7LTskyfwZ5BW8ijPEi5OUK9TirwdGf.RPieTElSRs4dET5oGWue", persimmon},
	{"mkpasswd", "bcrypt", "$2a$05$Rt2/lQtkgTJ7YAnaENxFSuW..TlIXu/caBkj.yhU9G6dlYD2HLL82", persimmon},
	{"python3 crypt", "bcrypt", "$2b$04$abcdefghijklmnopqrstuuuhPMHY.NsKZnWRU9.SWMs5QR46qGfvC", long},
	{"mkpasswd", "yescrypt", "$y$j75$41QZRKL2e1zA2LoV8NK3x/$DvX4hApdLHrHn/MYbEC7t.AjxCKlDBHm7gc2A7nkBc6", persimmon},
	{"mkpasswd", "yescrypt", "{CRYPT}$y$j9T$NbzkXWYzPrTRStJcV/WGm0$/GwBh/iJCEWiJlAM5qS/37itCviRxwHybcQwe/Z/FZA", persimmon},

	{"argon2", "argon2id", "$argon2id$v=19$m=256,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$lbfCoD+NkdeSNh7L3AIJBxz6+X8H6dnpjpqpQImBtVw", persimmon},
	{"argon2", "argon2i", "$argon2i$v=19$m=256,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$pS+sYbsAicFqE3KBaw+hrmrDKUUO7EDvRTV9uJZyHhk", persimmon},
	{"slappasswd argon2", "argon2i", "{ARGON2}$argon2i$v=19$m=4096,t=3,p=1$eueG3kjSt+6u39+a0fVpqg$ADv/BGupXSHu38FasgDBzuzlsssqTc78v28w6o/JuT0", persimmon},
	{"Django 3.2", "argon2id", "argon2$argon2id$v=19$m=256,t=1,p=2$c2pQbTFZa1huS21tU2JjVmpSSjJhcQ$ABq3AQ1kfeHIXncfISxWjw", persimmon},

	{"slappasswd pw-pbkdf2", "pbkdf2", "{PBKDF2}10000$/RYZ819GGPbOtWIgiTanXA$BXKf7J6jp66Fg076PzbQNMft0Dw", persimmon},
	{"slappasswd pw-pbkdf2", "pbkdf2-sha1", "{PBKDF2-SHA1}10000$IH7yylTsjy1q5Kg/rSlxUQ$hfGSdA/GwIFZFG6lGSPzpDKgn/Y", persimmon},
	{"slappasswd pw-pbkdf2", "pbkdf2-sha256", "{PBKDF2-SHA256}10000$KUHZ0Bl45tgS9hmTAqbpZQ$8ZAXdNFelU/0D3foKMgqG7paR1UQEDdzXR/m235GE74", persimmon},
	{"slappasswd pw-pbkdf2", "pbkdf2-sha512", "{PBKDF2-SHA512}10000$hCCyeGPINmbMsmk6b1qdgQ$M.oeIFAvh6Y5uNxaDMVBJZ5sW8E5dKxy5e126XTkMPhZcHxBHenuv4g6s/4sLzpGS1gzl2SUGwQvY336y.yT/w", persimmon},
	{"passlib", "pbkdf2-sha256", "{pbkdf2-sha256}1000$k/JeC2FMyTkH4BwD4Ly3Ng$de7ozmck0sL.XvDIVbkjMo5Q0JB8IemFEZrnxNc9kfE", persimmon},
	{"passlib", "pbkdf2-sha256", "$pbkdf2-sha256$1000$0JpzrjUGIMQ4xzgHYGyN8Q$GJRLCtyDVmRb6VzD6/mSqr7NiGOu7Gdhjoeg7b5fllI", persimmon},
	{"passlib", "pbkdf2-sha512", "$pbkdf2-sha512$1000$vFeqFaKUMqaUEsK4tzZGCA$YQLKU4qt7BvwnFDA0kxuhqJwBw2bU5JmaWTOkS1AgNlfAMlnsYSntWJhzzk2GP9uVPd4IfUBhd.JpUEcqCgKJg", persimmon},
	{"passlib", "pbkdf2", "$pbkdf2$1000$8P7fu5eSUgohZOx9j3FOSQ$Xwr/C8fIQcnE9XmN2.MEb0t7BWo", persimmon},
	{"Django 3.2", "pbkdf2-sha256", "pbkdf2_sha256$1000$sjPm1YkXnKmmSbcVjRJ2aq$dyZGMHXpOE4QVPVz9ckWAEfdrkT4K7X3z/PvixfXRrA=", persimmon},
	{"Django 3.2", "pbkdf2-sha1", "pbkdf2_sha1$1000$sjPm1YkXnKmmSbcVjRJ2aq$SY16DZIKg8GqNY+RzHFmqCpyV3E=", persimmon},
	// Keycloak's keys by python3 hashlib and the argon2 program, its envelope by hand.
	{"python3 hashlib", "pbkdf2-sha256", keycloakJSON("Nu/XqmkZguH7poSvAfXMT1SIQupuNYN5voE/BvUfmm2mi4BMBd5mtl3ncJIzdshIns90UFxQnDU1mophzuz0qw==",
		"MDEyMzQ1Njc4OWFiY2RlZg==", `"hashIterations":1000,"algorithm":"pbkdf2-sha256","additionalParameters":{}`), persimmon},
	{"python3 hashlib", "pbkdf2-sha512", keycloakJSON("ZigRh2W/5NR03wry+fL/FX4TUx8Hq6LuTYbK2c1GYNy6FdWNFvnflnuB+angXCEvFTeiPfqaAh5ytaKocsqljQ==",
		"MDEyMzQ1Njc4OWFiY2RlZg==", `"hashIterations":1000,"algorithm":"pbkdf2-sha512"`), persimmon},
	{"argon2", "argon2id", keycloakJSON("lbfCoD+NkdeSNh7L3AIJBxz6+X8H6dnpjpqpQImBtVw=",
		"c2FsdHNhbHRzYWx0c2FsdA==", `"hashIterations":2,"algorithm":"argon2","additionalParameters":`+keycloakArgon2), persimmon},

	{"iconv, openssl dgst -md4", "nt", "{NT}35ddf2d39655da7576c72852595c0dae", persimmon},
	{"iconv, openssl dgst -md4", "nt", "{SambaNT}43758EE503F00D56ECECF350AEC08D27", "ascii only 7"},
	{"passlib", "nt", "$3$$35ddf2d39655da7576c72852595c0dae", persimmon},
	{"mkpasswd", "nt", "$3$$d2e5e95cdb571dc44558b514f504a77c", persimmon}, // each octet widened
}

const keycloakArgon2 = `{"hashLength":["32"],"memory":["256"],"type":["id"],"version":["1.3"],"parallelism":["1"]}`

func keycloakJSON(value, salt, params string) string {
	return fmt.Sprintf(`{"type":"password","secretData":%q,"credentialData":%q}`,
		fmt.Sprintf(`{"value":"%s","salt":"%s","additionalParameters":{}}`, value, salt), "{"+params+"}")
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.scheme+" by "+v.by, func(t *testing.T) {
			t.Parallel()
			h, err := Parse(v.encoded + "\n")
			if err != nil {
				t.Fatal(err)
			}
			if h.String() != v.scheme {
				t.Errorf("scheme %q, want %q", h, v.scheme)
			}
			if !h.Check([]byte(v.password)) {
				t.Error("the right password doesn't match")
			}
			if h.Check([]byte("x" + v.password)) {
				t.Error("a wrong password matches")
			}
			if !h.Renew(Default) {
				t.Error("not to be renewed, though weaker than the default")
			}
		})
	}
}

func TestMake(t *testing.T) {
	p := Params{Memory: 64, Time: 1}
	encoded := Make([]byte(persimmon), p)
	if !strings.HasPrefix(encoded, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatal(encoded)
	}
	if Make([]byte(persimmon), p) == encoded {
		t.Error("the same salt twice")
	}
	h, err := Parse(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if !h.Check([]byte(persimmon)) || h.Check([]byte("Kaki")) {
		t.Error("matches the wrong password or not the right one")
	}
	for _, c := range []struct {
		p    Params
		want bool
	}{
		{p, false},
		{Params{Memory: 32, Time: 1}, false},
		{Params{Memory: 64, Time: 1, Threads: 4}, false},
		{Params{Memory: 65, Time: 1}, true},
		{Params{Memory: 64, Time: 2}, true},
		{Params{}, true},
	} {
		if h.Renew(c.p) != c.want {
			t.Errorf("Renew(%+v) is not %v", c.p, c.want)
		}
	}
}

// What Make writes, Parse reads and Renew leaves alone, whatever was configured.
func TestMakeStaysInBounds(t *testing.T) {
	for _, p := range []Params{
		{Memory: 1, Time: 1, Threads: 1},
		{Memory: 8, Time: 1000, Threads: 255},
	} {
		h, err := Parse(Make([]byte(persimmon), p))
		if err != nil {
			t.Fatalf("%+v: %v", p, err)
		}
		if h.Renew(p) {
			t.Errorf("%+v would be renewed for ever", p)
		}
	}
	if got := (Params{Memory: 1 << 31}).bounded().Memory; got != maxMemory {
		t.Error(got)
	}
	if got := (Params{}).bounded(); got != Default {
		t.Error(got)
	}
}

func TestSpellingsOfUnicode(t *testing.T) {
	decomposed := norm.NFD.String("Gärtnerei パプリカ")
	composed := norm.NFC.String(decomposed)
	ours := Make([]byte(decomposed), Params{Memory: 8, Time: 1})
	for _, c := range []struct {
		name, encoded, typed string
		want                 bool
	}{
		{"ours, composed", ours, composed, true},
		{"ours, decomposed", ours, decomposed, true},
		// python3 crypt over either form
		{"theirs composed, typed decomposed", "$5$saltsalt$gfSf0.4RxNkUwBITkswc3sIHIlp5tIkOw0REEN.qDi1", decomposed, true},
		{"theirs decomposed, typed so", "$5$saltsalt$cd20OMZa47IkFvSX6R7R6Luhk84KJSV68GBWBZXKHN2", decomposed, true},
		{"theirs decomposed, typed composed", "$5$saltsalt$cd20OMZa47IkFvSX6R7R6Luhk84KJSV68GBWBZXKHN2", composed, false},
	} {
		h, err := Parse(c.encoded)
		if err != nil {
			t.Fatal(err)
		}
		typed := []byte(c.typed)
		if h.Check(typed) != c.want {
			t.Errorf("%s: not %v", c.name, c.want)
		}
		if string(typed) != c.typed {
			t.Errorf("%s: the caller's password was changed", c.name)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	b53 := strings.Repeat("a", 53)
	key32 := strings.Repeat("A", 43)
	salt16 := strings.Repeat("A", 22)
	for _, c := range []struct {
		encoded string
		want    error
	}{
		{"", ErrFormat},
		{"secret", ErrFormat},
		{"9bfe43557ca54874ef8dfb603eeee5f5", ErrFormat}, // MD5 or NT: nobody can tell
		{strings.Repeat("{SSHA}", 1000), ErrFormat},
		{"{CLEARTEXT}secret", ErrFormat},
		{"{SSHA", ErrFormat},
		{"{}", ErrFormat},
		{"{SSHA}!!!", ErrFormat},
		{"{SSHA}zVF63YRr5L0hIVJ3iyFWm73EayY=", ErrFormat}, // no salt
		{"{SHA}zVF63YRr5L0hIVJ3iyFWm73EayYA", ErrFormat},  // one too many
		{"{MD5}9bfe43557ca54874ef8dfb603eeee5fx", ErrFormat},
		{"{MD5}m/5DVXylSHTv\njftgPu7l9Q==", ErrFormat},
		{"{NT}35ddf2d39655da7576c72852595c0da", ErrFormat},
		{"{NT}" + strings.Repeat("g", 32), ErrFormat},
		{"$3$$00", ErrFormat},
		{"{CRYPT}ea7k3jEfwj2Go", ErrFormat}, // DES
		{"{CRYPT}", ErrFormat},
		{"$", ErrFormat},
		{"$1", ErrFormat},
		{"$9$a$b", ErrFormat},
		{"$gy$j9T$.qYVWL5bYiJMn2e0HwHwA0$X91kwAzwhz1f9Ce6xawPA9cLMD2W2MPqRonxR9x38R9", ErrFormat},
		{"$1$saltsaltsalt$WcgEBMqo3fx00Lu40yPig1", ErrFormat},
		{"$1$saltsalt$WcgEBMqo3fx00Lu40yPi", ErrFormat},
		{"$apr1$saltsalt$WcgEBMqo3fx00Lu40yPig!", ErrFormat},
		{"$apr1$saltsalt", ErrFormat},
		{"$5$saltsalt$" + strings.Repeat("a", 42), ErrFormat},
		{"$5$" + strings.Repeat("s", 17) + "$" + strings.Repeat("a", 43), ErrFormat},
		{"$5$round=5000$saltsalt$" + strings.Repeat("a", 43), ErrFormat},
		{"$5$rounds=-1$saltsalt$" + strings.Repeat("a", 43), ErrFormat},
		{"$6$rounds=5000$salt$" + strings.Repeat("a", 86) + "$", ErrFormat},
		{"$6$rounds=0$salt$" + strings.Repeat("a", 86), ErrBounds},
		{"$6$rounds=999$salt$" + strings.Repeat("a", 86), ErrBounds},
		{"$6$rounds=1000001$salt$" + strings.Repeat("a", 86), ErrBounds},
		{"$5$rounds=999999999$salt$" + strings.Repeat("a", 43), ErrBounds},
		{"$2x$05$" + b53, ErrFormat},
		{"$2y$5$" + b53, ErrFormat},
		{"$2y$xx$" + b53, ErrFormat},
		{"$2y$05$" + b53 + "a", ErrFormat},
		{"$2y$05$" + b53[1:] + "!", ErrFormat},
		{"$2y$03$" + b53, ErrBounds},
		{"$2y$15$" + b53, ErrBounds},
		{"$2y$31$" + b53, ErrBounds},
		{"$y$j9T$NbzkXWYzPrTRStJcV/WGm0$/GwBh", ErrFormat},
		{"$y$j9T$$" + strings.Repeat("a", 43), ErrFormat},
		{"$y$k9T$NbzkXWYzPrTRStJcV/WGm0$" + strings.Repeat("a", 43), ErrFormat},
		{"$y$j9T$z$" + strings.Repeat("a", 43), ErrFormat},
		{"$y$j9!$NbzkXWYzPrTRStJcV/WGm0$" + strings.Repeat("a", 43), ErrFormat},
		{"$y$j.T$NbzkXWYzPrTRStJcV/WGm0$" + strings.Repeat("a", 43), ErrBounds},
		{"$y$jFT$NbzkXWYzPrTRStJcV/WGm0$" + strings.Repeat("a", 43), ErrBounds}, // 1 GiB
		{"$y$jzz$NbzkXWYzPrTRStJcV/WGm0$" + strings.Repeat("a", 43), ErrBounds},
		{"$argon2id$v=19$m=64,t=1,p=1$" + salt16, ErrFormat},
		{"$argon2id$v=16$m=64,t=1,p=1$" + salt16 + "$" + key32, ErrFormat},
		{"$argon2id$m=64,t=1,p=1$" + salt16 + "$" + key32, ErrFormat},
		{"$argon2d$v=19$m=64,t=1,p=1$" + salt16 + "$" + key32, ErrFormat},
		{"{ARGON2}argon2id$v=19$m=64,t=1,p=1$" + salt16 + "$" + key32, ErrFormat},
		{"$argon2id$v=19$t=1,m=64,p=1$" + salt16 + "$" + key32, ErrFormat},
		{"$argon2id$v=19$m=64,t=1$" + salt16 + "$" + key32, ErrFormat},
		{"$argon2id$v=19$m=64,t=1,p=x$" + salt16 + "$" + key32, ErrFormat},
		{"$argon2id$v=19$m=64,t=1,p=1,keyid=a$" + salt16 + "$" + key32, ErrFormat},
		{"$argon2id$v=19$m=64,t=1,p=1$!$" + key32, ErrFormat},
		{"$argon2id$v=19$m=64,t=1,p=1$" + salt16 + "$!", ErrFormat},
		{"$argon2id$v=19$m=64,t=0,p=1$" + salt16 + "$" + key32, ErrBounds},
		{"$argon2id$v=19$m=64,t=11,p=1$" + salt16 + "$" + key32, ErrBounds},
		{"$argon2id$v=19$m=262145,t=1,p=1$" + salt16 + "$" + key32, ErrBounds},
		{"$argon2id$v=19$m=4294967295,t=1,p=1$" + salt16 + "$" + key32, ErrBounds},
		{"$argon2id$v=19$m=7,t=1,p=1$" + salt16 + "$" + key32, ErrBounds},
		{"$argon2id$v=19$m=64,t=1,p=0$" + salt16 + "$" + key32, ErrBounds},
		{"$argon2id$v=19$m=4096,t=1,p=255$" + salt16 + "$" + key32, ErrBounds},
		{"$argon2id$v=19$m=64,t=1,p=1$AAAA$" + key32, ErrBounds},
		{"$argon2id$v=19$m=64,t=1,p=1$" + salt16 + "$AAAA", ErrBounds},
		{"{PBKDF2-SHA256}1000$" + salt16, ErrFormat},
		{"{PBKDF2-SHA999}1000$" + salt16 + "$" + key32, ErrFormat},
		{"{PBKDF2-SHA256}many$" + salt16 + "$" + key32, ErrFormat},
		{"{PBKDF2-SHA256}1000$!$" + key32, ErrFormat},
		{"{PBKDF2-SHA256}1000$" + salt16 + "$!", ErrFormat},
		{"{PBKDF2-SHA256}0$" + salt16 + "$" + key32, ErrBounds},
		{"{PBKDF2-SHA256}1000001$" + salt16 + "$" + key32, ErrBounds},
		{"{PBKDF2-SHA256}1000$" + salt16 + "$", ErrBounds},
		{"$pbkdf2-sha256$1000$" + salt16 + "$" + strings.Repeat("A", 200), ErrBounds},
		{"$pbkdf2-sha256$1000$" + strings.Repeat("A", 200) + "$" + key32, ErrBounds},
		{"pbkdf2_sha256$1000$salt", ErrFormat},
		{"pbkdf2_md5$1000$salt$" + key32, ErrFormat},
		{`{"type":"otp","secretData":"{}","credentialData":"{}"}`, ErrFormat},
		{`{"type":"password"`, ErrFormat},
		{`{"type":"password","secretData":"","credentialData":"{}"}`, ErrFormat},
		{`{"type":"password","secretData":"{}","credentialData":""}`, ErrFormat},
		{keycloakJSON(key32, "!", `"algorithm":"pbkdf2-sha256","hashIterations":1`), ErrFormat},
		{keycloakJSON(key32, salt16, `"algorithm":"bcrypt","hashIterations":1`), ErrFormat},
		{keycloakJSON(key32, salt16, `"algorithm":"pbkdf2-sha256","hashIterations":2000000`), ErrBounds},
		{keycloakJSON(key32, salt16, `"algorithm":"pbkdf2-sha256","hashIterations":-1`), ErrFormat},
		{keycloakJSON(key32, salt16, `"algorithm":"argon2","hashIterations":1`), ErrFormat},
		{keycloakJSON("!", salt16, `"algorithm":"argon2","hashIterations":1,"additionalParameters":`+keycloakArgon2), ErrFormat},
		{keycloakJSON(key32, salt16, `"algorithm":"argon2","hashIterations":11,"additionalParameters":`+keycloakArgon2), ErrBounds},
		{keycloakJSON(key32, salt16, `"algorithm":"argon2","additionalParameters":{"version":["1.3"],"memory":["x"]}`), ErrFormat},
		{keycloakJSON(key32, salt16, `"algorithm":"argon2","additionalParameters":{"version":["1.3"],"memory":["64"],"parallelism":[]}`), ErrFormat},
	} {
		h, err := Parse(c.encoded)
		if !errors.Is(err, c.want) {
			t.Errorf("%.60s: error %v, want %v", c.encoded, err, c.want)
		}
		if h.Check([]byte("secret")) || h.Check(nil) {
			t.Errorf("%.60s: refused and matches", c.encoded)
		}
		if err != nil && strings.Contains(err.Error(), "secret") && !strings.Contains(err.Error(), "secretData") {
			t.Errorf("%.60s: the error repeats it: %v", c.encoded, err)
		}
	}
}

// A database column too narrow for the hash must not weaken it. A shorter
// PBKDF2 key is a prefix of the longer one; there minKey is the guard.
func TestTruncatedHashMatchesNothing(t *testing.T) {
	for _, v := range vectors {
		whole := strings.TrimRight(v.encoded, "=")
		for n := range len(whole) {
			h, err := Parse(whole[:n])
			if _, prefix := h.form.(pbkdf2Key); prefix {
				continue
			}
			if err == nil && cheap(h) && h.Check([]byte(v.password)) {
				t.Errorf("%s: %d of %d octets still match", whole, n, len(whole))
			}
		}
	}
}

func TestEmptyPasswordNeverMatches(t *testing.T) {
	for _, encoded := range []string{
		"{MD5}d41d8cd98f00b204e9800998ecf8427e", // MD5 of nothing
		"{NT}31d6cfe0d16ae931b73c59d7e0c089c0",  // MD4 of nothing
		// python3 crypt of nothing
		"$6$saltsalt$qkTgsCrWMTAS9gBGcf9W60sFfH.hU0oTCAOJjhbz5tSp/sU3/xXZK4OFwCtq8lIIdpJ6CatVdOTSHKp97TPkt/",
	} {
		h, err := Parse(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if h.Check(nil) || h.Check([]byte{}) {
			t.Errorf("%s matches an empty password", h)
		}
	}
}

// bcrypt repeats a short password with a NUL between, so "ab NUL ab" would
// open what "ab" opens.
func TestPasswordWithNULNeverMatches(t *testing.T) {
	for _, v := range vectors {
		h, err := Parse(v.encoded)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{v.password + "\x00", v.password + "\x00" + v.password} {
			if h.Check([]byte(p)) {
				t.Errorf("%s matches a password with a NUL", h)
			}
		}
	}
}

func TestOverlongPasswordCostsNothing(t *testing.T) {
	h, err := Parse("$6$rounds=1000000$saltsalt$" + strings.Repeat("a", 86))
	if err != nil {
		t.Fatal(err)
	}
	if h.Check(make([]byte, MaxOctets+1)) {
		t.Error("matches")
	}
}

func TestNTOfBrokenUTF8(t *testing.T) {
	// MD4 of U+FFFD, which every broken octet would become.
	h, err := Parse("{NT}" + fmt.Sprintf("%x", md4UTF16([]uint16{0xfffd})))
	if err != nil {
		t.Fatal(err)
	}
	if !h.Check([]byte("\ufffd")) {
		t.Error("the character itself doesn't match")
	}
	if h.Check([]byte{0xff}) {
		t.Error("a broken octet matches")
	}
}

func TestHashHidesItself(t *testing.T) {
	h, err := Parse("{SHA}zVF63YRr5L0hIVJ3iyFWm73EayY=")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%v %+v %s", h, h, &h); got != "sha sha sha" {
		t.Error(got)
	}
	var none Hash
	if none.String() != "none" || none.Check([]byte("x")) || !none.Renew(Default) {
		t.Error("the zero Hash is not harmless")
	}
}

func FuzzParse(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.encoded, v.password)
	}
	f.Add(`{"secretData":"{}","credentialData":"{\"algorithm\":\"argon2\"}"}`, "x")
	f.Fuzz(func(t *testing.T, encoded, password string) {
		h, err := Parse(encoded)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrBounds) {
				t.Fatalf("foreign error %v", err)
			}
			if h.form != nil {
				t.Fatal("a hash beside an error")
			}
			return
		}
		if h.form == nil || h.String() == "none" {
			t.Fatal("neither a hash nor an error")
		}
		if cheap(h) {
			h.Check([]byte(password)) // must not panic
		}
		if a, ok := h.form.(argon2Key); ok {
			if _, err := Parse(a.encode()); err != nil {
				t.Fatalf("what was read can't be written: %v", err)
			}
		}
	})
}

// cheap keeps the fuzzer from spending its time inside of one hash.
func cheap(h Hash) bool {
	switch f := h.form.(type) {
	case argon2Key:
		return uint64(f.Memory)*uint64(f.Time) <= 1024
	case pbkdf2Key:
		return f.iterations <= 1000
	case crypted:
		return false
	}
	return true
}
