package reason

type text struct{ ja, en string }

// entry is one code with its sentences. person is empty where there is nothing
// to add to the generic sentence. Where open is false, person is told only to
// somebody who proved the password and the device; what an attempt without
// proof could learn from must never be open.
type entry struct {
	code   Code
	open   bool
	person text // what to do; %d: seconds until the next code
	desk   text // what happened
}

var generic = text{
	"サインインできませんでした。ユーザー名、パスワード、コード（半角数字）を確認し、次のコードに変わってから、もう一度お試しください。",
	"Sign-in failed. Check user name, password and code, wait for the next code and try again.",
}

// setup is told when the appliance asks in a way that can't work: it depends
// on the appliance alone, and trying again does not help.
var setup = text{
	"この接続の設定ではサインインできません。お手数ですが、ヘルプデスクにお知らせください。",
	"The way this connection is set up cannot be used to sign in. Please tell the help desk.",
}

var signedIn = text{"サインインしました。", "You are signed in."}

var nextCode = text{"次のコード：", "Type the next code."}

// entries stand in the order of the constants.
var entries = []entry{
	{Admitted, true, signedIn, text{
		"ルールが求める要素がすべて確認できたため、許可しました。",
		"Every factor that the rule asks for was shown, and the person was admitted."}},
	{Repeated, true, signedIn, text{
		"同じ資格情報が、ルールの認める時間内に同じ接続元からもう一度届いたため、同じチケットで許可しました。",
		"The same credential came again from the same source within the time the rule allows, and was admitted on the same ticket."}},
	{Reused, true, signedIn, text{
		"提示された有効なチケットで要素を確認できたため、許可しました。",
		"A live ticket was presented and lent the factors; the person was admitted."}},

	{WrongPassword, false, text{}, text{
		"パスワードが違っていました。",
		"The password was wrong."}},
	{WrongCode, false, text{}, text{
		"ワンタイムコードが現在の前後のどのコードとも一致しませんでした。パスワードが合っていたかどうかは、この記録ではわかりません。",
		"The one-time code fits no time near now. Whether the password was right can't be told from this entry."}},
	{CodeMissing, false, text{}, text{
		"ワンタイムコードが必要な接続元ですが、コードが入力されていませんでした。入力欄が一つのときは、パスワードのすぐ後ろに続けて入力します。",
		"A one-time code is needed from there and none was typed. Where there is one field, it goes right behind the password."}},
	{CodeUsed, false, text{
		"このコードはすでに使われています。%d秒ほど待って、次に表示されるコードでお試しください。",
		"This code was already used. Wait %d s for the next one."}, text{
		"パスワードは正しく、ワンタイムコードは使用済みでした。本人に覚えがなければ、コードを盗み見られたおそれがあります。",
		"The password was right, but the code had been used before. If the person did not type it twice, somebody may have watched it being typed."}},
	{CodeStale, false, text{
		"コードを表示する端末の時計がずれています。日付と時刻を「自動設定」にしてから、もう一度お試しください。",
		"The clock of the device that shows your code is wrong. Set its date and time to automatic and try again."}, text{
		"本人の端末のコードですが、端末の時計が許容範囲を超えてずれています。時計を合わせてもらうか、コードを二つ続けて聞いて再同期してください。",
		"The code came from the person's own device, but its clock is off by more than is accepted. Have the clock set, or resync the device with two codes in a row."}},
	{CodeWide, false, text{
		"コードは半角数字（例：123456）で入力して、もう一度お試しください。",
		"Type the code in half-width digits, such as 123456, and try again."}, text{
		"ワンタイムコードが全角数字で入力されていました。半角で入力するようご案内ください。",
		"The code was typed in full-width digits. Ask the person to switch the keyboard to half-width."}},
	{RecoveryNot, false, text{
		"リカバリーコードはウェブのサインイン画面でのみ使えます。ここでは端末に表示されるコードをお使いください。",
		"Recovery codes work only on the web sign-in page. Here, use the code that your device shows."}, text{
		"リカバリーコードがパスワードの後ろに入力されました。使えるのはウェブのサインイン画面だけです。失敗の回数には数えていません。",
		"A recovery code was typed behind the password; it works only on the web sign-in page. The attempt was not counted."}},
	{NoDevice, false, text{}, text{
		"ワンタイムコードが必要な接続元ですが、コードを表示する端末が登録されていません。学内のネットワークから登録するようご案内ください。",
		"A one-time code is needed from there, but the person has no code device enrolled. It can be enrolled from inside the campus network."}},
	{NoMeans, false, text{}, text{
		"ルールが求める要素を、この入口では受け取れません（たとえばRADIUSでの電子証明書）。ルールを確認してください。",
		"The rule needs a factor that this door can't take, such as a certificate over RADIUS. Check the rule."}},
	{UnknownUser, false, text{}, text{
		"このユーザー名のアカウントはありません。",
		"No account has this user name."}},
	{BadName, false, text{}, text{
		"ユーザー名に使えない文字が含まれています（UTF-8ではない、またはNUL文字を含む）。",
		"The user name holds what no name can: octets that are not UTF-8, or a NUL."}},
	{EmptyPassword, false, text{}, text{
		"パスワードが空でした。コードだけが入力された可能性があります。",
		"The password was empty; perhaps only the code was typed."}},
	{BadPassword, false, text{}, text{
		"パスワードが長すぎるか、途中にNUL文字が含まれています。装置の共有シークレットの誤りでも起こります。",
		"The password is too long or has a NUL inside. A wrong shared secret on the appliance looks like this, too."}},
	{Disabled, false, text{}, text{
		"アカウントは無効になっています。",
		"The account is disabled."}},
	{MustChange, false, text{
		"初期パスワードのままでは利用できません。先にウェブのサインイン画面でパスワードを変更してください。",
		"Your initial password must be changed first. Please change it on the web sign-in page."}, text{
		"初期パスワードのままです。初期パスワードで開けるのは、ウェブのパスワード変更画面だけです。",
		"The account still has its initial password, which opens nothing but the web page for changing it."}},
	{NoRule, false, text{}, text{
		"当てはまるルールがありませんでした。ルールで許可されていないものは拒否されます。",
		"No rule matches this sign-in, and what no rule allows is refused."}},
	{RuleDenies, false, text{}, text{
		"拒否を定めたルールに当てはまりました。ルールの名前は記録にあります。",
		"A rule denies this sign-in; the entry names the rule."}},
	{Throttled, false, text{}, text{
		"失敗が続いたため、パスワードを照合せずに拒否しました。しばらく待てば自動的に解除されます。",
		"After repeated failures this one was refused without looking at the password. The delay ends by itself."}},
	{Changed, false, text{}, text{
		"照合している間に、アカウント（パスワード、状態、グループ、端末）が変更されました。もう一度サインインするようご案内ください。",
		"The account (password, state, groups or device) was changed while the sign-in was judged. Signing in again is enough."}},
	{CannotJudge, false, text{}, text{
		"この要求またはアカウントの記録に不備があり、判定できませんでした。名前の重複や壊れた記録がないか確認してください。",
		"This request, or the account's record, can't be judged. Look for a name that fits two people, or a damaged record."}},
	{PasswordKnown, false, text{
		"あなたのパスワードを他の人が知っているおそれがあります。すぐに変更し、ヘルプデスクにご連絡ください。",
		"Somebody else seems to know your password. Change it at once and tell the help desk."}, text{
		"正しいパスワードに誤ったコードが何度も続きました。パスワードが漏れているおそれがあります。本人に連絡し、変更してもらってください。",
		"Many wrong codes came behind the right password, so somebody else seems to know it. Reach the person and have it changed."}},
	{StalePassword, false, text{}, text{
		"変更前の古いパスワードが送られてきました。この接続元の端末やソフトに、古いパスワードが保存されたままになっています。",
		"The password from before the last change was sent: a device or program at this source still has the old one saved."}},

	{PasswordExpired, false, text{
		"パスワードの変更が必要です。大学のパスワード変更ページで変更してから、もう一度お試しください。",
		"Your password has to be changed. Change it where your university lets you, then sign in again."}, text{
		"パスワードは正しいものの、ディレクトリーが変更を求めています（有効期限切れ、または管理者による再設定の直後）。本人に変更してもらってください。",
		"The password was right, but the directory wants it changed: it has expired, or an administrator has set it. The person has to change it there."}},
	{AccountShut, false, text{
		"このアカウントは現在利用できません。ヘルプデスクにご連絡ください。",
		"This account cannot be used at present. Please ask the help desk."}, text{
		"パスワードは正しく、ディレクトリーがこのアカウントの利用を認めていません（無効、期限切れ、利用できる時間や端末の制限）。ディレクトリー側を確認してください。",
		"The password was right, but the directory lets nobody in by this account: it is disabled or expired there, or bound to hours or machines."}},
	{AccountLocked, false, text{}, text{
		"失敗が続いたため、ディレクトリーがこのアカウントをロックしています。パスワードが正しいかどうかはわかりません。ディレクトリー側で解除するか、時間を置いてください。",
		"The directory has locked the account after failures, so whether the password was right can't be told. It ends by itself or is unlocked there."}},

	{WrongAppPassword, false, text{}, text{
		"アプリ用パスワードが違っていました。ほかの人やほかのサービスのものか、すでに削除されたものかもしれません。プログラムに古いものが保存されていないか確認してください。",
		"The application password was wrong: of another person or service, or ended. A program may still have an old one saved."}},
	{AppPasswordIdle, false, text{}, text{
		"アプリ用パスワードが30日以上使われなかったため、無効になっています。新しく作るようご案内ください。",
		"The application password was not used for 30 days and is void. The person can make a new one."}},
	{AppPasswordNetwork, false, text{}, text{
		"アプリ用パスワードが、指定されたネットワークの外から、または接続元がわからないまま使われました。本人に覚えがなければ、漏れたおそれがあります。",
		"The application password was used from outside the network that it is for, or from an unknown place. If that was not the person, somebody else has it."}},

	{MethodCHAP, true, setup, text{
		"装置がCHAPで問い合わせてきました。CHAPはハッシュ化したパスワードと照合できず、コードも送れません。装置の認証方式をPAPに変更してください。",
		"The appliance asked with CHAP, which can't be checked against a hashed password and can't carry a code. Switch the appliance to PAP."}},
	{MethodMSCHAP, true, setup, text{
		"装置がMS-CHAPで問い合わせてきました。MS-CHAPはハッシュ化したパスワードと照合できず、コードも送れません。装置の認証方式を（「自動」ではなく）PAPに変更してください。",
		"The appliance asked with MS-CHAP, which can't be checked against a hashed password and can't carry a code. Switch the appliance to PAP, not to \"auto\"."}},
	{MethodEAP, true, setup, text{
		"装置がEAPで問い合わせてきました。EAPには対応していません。装置の認証方式をPAPに変更してください。",
		"The appliance asked with EAP, which is not supported. Switch the appliance to PAP."}},
	{CallCheck, true, setup, text{
		"装置が、パスワードなしで電話番号やMACアドレスだけを確認する要求（Call-Check）を送ってきました。装置側でこの機能を無効にしてください。",
		"The appliance asked about a telephone number or MAC address without a password (Call-Check). Turn this off on the appliance."}},
	{AuthorizeOnly, true, setup, text{
		"装置が、資格情報なしで権限だけを尋ねる要求（Authorize-Only）を送ってきました。装置側でこの機能を無効にしてください。",
		"The appliance asked for an authorization without a credential (Authorize-Only). Turn this off on the appliance."}},
	{TwoCredentials, true, setup, text{
		"一つの要求に二種類の資格情報（たとえばPAPとCHAP）が含まれていました。装置の設定とファームウェアを確認し、PAPだけにしてください。",
		"One request carried two kinds of credential, such as PAP and CHAP. Check the appliance's settings and firmware; leave only PAP."}},
	{NoCredential, true, setup, text{
		"要求にパスワードが含まれていませんでした。装置の認証方式がPAPになっているか確認してください。",
		"The request carried no password. Check that the appliance is set to PAP."}},
	{BadAttribute, true, setup, text{
		"要求の属性の長さが、その型の規定と合っていません。装置のファームウェアを確認してください。",
		"An attribute of the request has the wrong length for its type. Check the appliance's firmware."}},
	{ForeignState, true, text{
		"サインインの有効時間が過ぎました。お手数ですが、最初からやり直してください。",
		"This sign-in has expired. Please start again from the beginning."}, text{
		"サインインの続きを示す値（State）が、別の装置、利用者、接続元のものか、このサーバーのものではありません。",
		"The value that continues a sign-in (State) belongs to another appliance, person or source, or was not made here."}},

	{Challenged, true, text{
		"端末に表示されているコードを入力してください。",
		"Type the code that your device shows."}, text{
		"ワンタイムコードの入力を求めました。まだ何も照合していません。",
		"The code was asked for. Nothing was judged yet."}},
	{StateExpired, true, text{
		"時間がかかりすぎました。お手数ですが、最初からやり直してください。",
		"This took too long. Please start again from the beginning."}, text{
		"コードの入力を求めてから5分以内に返答がありませんでした。もう一度サインインするようご案内ください。",
		"The code came more than five minutes after the sign-in had begun. Signing in again is enough."}},
	{StateSpent, false, text{}, text{
		"パスワードもコードも正しかったものの、同じ問いへの返答がすでに届いていました。装置が返答を二重に送ったか、通信が再送されたおそれがあります。",
		"Password and code were right, but the same question had been answered before: the appliance sent two answers, or somebody replayed one."}},
	{WrongWord, false, text{}, text{
		"合言葉が違っていました。ほかの人、ほかのサービスの合言葉か、新しい合言葉を作る前のものかもしれません。",
		"The word was wrong: mistyped, made for another person or service, or replaced by a newer one."}},
	{WordUsed, false, text{}, text{
		"合言葉はすでに使われていました。使えるのは一度だけです。本人に覚えがなければ、盗み見られたおそれがあります。",
		"The word had been used; it is good for one sign-in. If that was not the person, somebody may have seen it."}},
	{WordLate, false, text{}, text{
		"合言葉の有効時間が過ぎたか、合言葉を作ったウェブのサインインが終了しているか、古すぎます。",
		"The word was typed too late, or the web sign-in that it was made from has ended or is too old."}},

	{TLSRequired, true, text{
		"暗号化されていない接続ではサインインできません。お手数ですが、ヘルプデスクにお知らせください。",
		"Signing in needs an encrypted connection. Please tell the help desk."}, text{
		"アプリケーションが暗号化せずにパスワードを送ってきました。LDAPSまたはStartTLSを使うように設定してください。漏れたおそれのあるパスワードは変更してください。",
		"The application sent a password without encryption. Set it to LDAPS or StartTLS; the password that was sent should be changed."}},
	{UnknownApp, true, setup, text{
		"このアドレスは、どのアプリケーション（[[ldap.app]]）にも含まれていません。設定に加えるか、接続元を確認してください。",
		"No application has this address. Add it to an [[ldap.app]], or find out who asks."}},
	{ServiceAccount, false, text{}, text{
		"サービスアカウントのパスワードが違うか、そのアカウントに許されていないアドレスから使われました。",
		"The password of a service account was wrong, or the account was used from an address that it is not meant for."}},
	{ForwardedUntrusted, true, setup, text{
		"信頼するプロキシ（trusted_proxies）に含まれない相手が、転送用のヘッダーを付けて要求してきました。ヘッダーは無視されます。",
		"Somebody who is not among trusted_proxies sent headers that only a proxy may send. They are not believed."}},
	{ForwardedConflict, true, setup, text{
		"プロキシの要求に、内容の食い違う二組の転送ヘッダーがありました。プロキシの設定を手順書と見比べてください。",
		"The proxy's request carried two sets of forwarding headers that disagree. Compare the proxy's settings with the recipe."}},
	{Handshake, true, text{
		"このリンクは期限切れか、使用済みか、別のブラウザーのものです。お手数ですが、サービスを開くところからやり直してください。",
		"This link has expired, was used, or belongs to another browser. Please open the service again."}, text{
		"サービスへの引き継ぎに使う言葉が、使用済みか、期限切れか、別のサービスまたは別のブラウザーのものでした。",
		"The word that hands a sign-in over to a service was used already, late, or of another service or browser."}},

	{WordMade, false, text{}, text{
		"本人がサインイン用の合言葉を作りました。それまでの合言葉は使えません。",
		"The person made a word for signing in elsewhere. The one before it is void."}},
	{AppPasswordAdded, false, text{}, text{"アプリ用パスワードを作成しました。", "An application password was made."}},
	{AppPasswordEnded, false, text{}, text{
		"アプリ用パスワードを削除し、それによるサインインを終了しました。",
		"An application password was ended, with the sign-ins that it gave."}},
	{AccountAdded, false, text{}, text{"アカウントを作成しました。", "The account was created."}},
	{AccountDisabled, false, text{}, text{"アカウントを無効にしました。", "The account was disabled."}},
	{AccountEnabled, false, text{}, text{"アカウントを有効にしました。", "The account was enabled."}},
	{PasswordSet, false, text{}, text{"パスワードを設定しました。", "The password was set."}},
	{GroupsSet, false, text{}, text{"所属グループを変更しました。", "The groups of the account were changed."}},
	{OTPEnrolled, false, text{}, text{"ワンタイムコードの端末を登録しました。", "A code device was enrolled."}},
	{OTPReset, false, text{}, text{"ワンタイムコードの端末の登録を解除しました。", "The code device was removed."}},
	{OTPResynced, false, text{}, text{
		"コードを二つ続けて確認し、ワンタイムコードの端末を再同期しました。",
		"The code device was resynced by two codes in a row."}},
	{OTPFenced, false, text{}, text{
		"復元などに備え、この時点までのワンタイムコードをすべて使用済みにしました。",
		"Every code up to that moment was declared used, as after a restore."}},
	{ClockAccepted, false, text{}, text{
		"管理者がサーバーの時刻を正しいと認め、ワンタイムコードの判定を再開しました。",
		"An administrator declared the server's clock right, and codes are judged again."}},
	{TicketRevoked, false, text{}, text{"チケットを取り消しました。", "The ticket was revoked."}},
	{VPNEnded, false, text{}, text{"VPNの接続（セッション）を終了させ、そのチケットも取り消しました。", "A VPN session was ended, with the ticket that it had."}},
	{SignedOut, false, text{}, text{"本人がサインアウトしました。", "The person signed out."}},
	{SessionEnded, false, text{}, text{"本人が自分のサインインを一つ終了しました。", "The person ended one of their own sign-ins."}},
	{SignedOutAll, false, text{}, text{"本人がすべてのサインインを終了しました。", "The person ended everything they were signed in to."}},
	{EndedBehind, false, text{}, text{
		"背後のディレクトリで無効になったか削除されたため、この人のサインインをすべて終了しました。",
		"The person is disabled in the directory behind, or gone from it, so everything they were signed in to was ended."}},
	{KeysRotated, false, text{}, text{
		"新しい暗号鍵に切り替えました。以前の鍵は、再暗号化が終わるまで残します。",
		"A new key was put to use. The older ones stay until everything is sealed again."}},
	{KeysRetired, false, text{}, text{
		"使われなくなった古い暗号鍵を取り除きました。",
		"An old key that nothing was sealed with any more was taken out."}},

	{SessionStarted, false, text{}, text{
		"装置から、接続（セッション）の開始が通知されました。",
		"The appliance told that a session began."}},
	{SessionStopped, false, text{}, text{
		"装置から、接続（セッション）の終了が通知されました。そのチケットも終了しました。",
		"The appliance told that a session ended; its ticket ended with it."}},
	{NASRestarted, false, text{}, text{
		"装置から、起動または停止が通知されました。その装置のセッションをすべて終了したものとしました。続いているセッションは、次の通知で再び開いたものとします。",
		"The appliance told that it starts or stops; all its sessions were taken for ended. One that goes on is open again with its next record."}},
	{AccountingLate, false, text{}, text{
		"5分以上前の、または終了したセッションについてのアカウンティング通知が届きました。記録しただけで、何も変えていません。装置の時計がずれているか、以前の通知が再送されたおそれがあります。",
		"An accounting record came that is more than five minutes old, or of a session that is over. It was noted and changed nothing. The appliance's clock may be off, or somebody replayed a record."}},
	{AccountingStranger, false, text{}, text{
		"アカウンティング通知の利用者またはClassが、そのセッションのものと一致しませんでした。サインインとは結び付けていません。装置の不具合か、偽の通知のおそれがあります。",
		"The user or the Class of an accounting record is not that of its session, which was not tied to the sign-in. The appliance mixed something up, or somebody forged the record."}},
	{AccountingOther, false, text{}, text{
		"装置から、ここでは意味を持たない種類のアカウンティング通知が届きました。",
		"The appliance sent an accounting record of a kind that means nothing here."}},
	{AddressForeign, false, text{}, text{
		"装置が、設定（tunnel）の範囲にないアドレスを利用者に割り当てたと通知しました。このアドレスからの続きのサインインは認めません。設定を確認してください。",
		"The appliance told of an address that is not in its tunnel setting, so nobody can go on from there without a sign-in. Check the setting."}},
	{DisconnectDone, false, text{}, text{
		"チケットが終了した、または所属グループが変わったため、装置に切断を指示し、セッションは終了しました。",
		"The ticket had ended, or the person's groups had changed; the appliance was told to disconnect the session, which is gone."}},
	{DisconnectFailed, false, text{}, text{
		"チケットが終了した、または所属グループが変わりましたが、装置に切断させることができませんでした。接続が続いているおそれがあります。装置側で切断してください。",
		"The ticket had ended, or the person's groups had changed, but the appliance could not be made to disconnect the session, which may go on. End it on the appliance."}},
	{ChangeDone, false, text{}, text{
		"所属グループの変更を、接続中のセッションに反映するよう装置に指示しました。",
		"The appliance was told of the person's new groups for a session that goes on."}},
	{ChangeFailed, false, text{}, text{
		"所属グループが変更されましたが、接続中のセッションに反映させることができませんでした。次の接続から有効になります。",
		"The person's groups changed, but the appliance could not be made to apply them to the session that goes on. They hold from the next one."}},
}
