import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Hashtable;
import javax.naming.Context;
import javax.naming.NamingException;
import javax.naming.directory.Attributes;
import javax.naming.directory.InitialDirContext;

/** A program that pools people's connections, too: Pooled URL, and a DN and a password on each line of the input. */
public class Pooled {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) {
            String[] who = line.split("\t", 2);
            Hashtable<String, String> settings = new Hashtable<>();
            settings.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.ldap.LdapCtxFactory");
            settings.put(Context.PROVIDER_URL, args[0]);
            settings.put("com.sun.jndi.ldap.connect.pool", "true");
            settings.put(Context.SECURITY_AUTHENTICATION, "simple");
            settings.put(Context.SECURITY_PRINCIPAL, who[0]);
            settings.put(Context.SECURITY_CREDENTIALS, who[1]);
            try {
                InitialDirContext context = new InitialDirContext(settings);
                Attributes own = context.getAttributes(who[0], new String[] {"uid"});
                System.out.println("in as " + own.get("uid").get());
                context.close();
            } catch (NamingException e) {
                System.out.println("out " + e.getMessage());
            }
        }
    }
}
