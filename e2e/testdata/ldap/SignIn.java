import java.util.Hashtable;
import javax.naming.AuthenticationException;
import javax.naming.Context;
import javax.naming.NamingEnumeration;
import javax.naming.NoPermissionException;
import javax.naming.OperationNotSupportedException;
import javax.naming.directory.Attributes;
import javax.naming.directory.SearchControls;
import javax.naming.directory.SearchResult;
import javax.naming.ldap.Control;
import javax.naming.ldap.InitialLdapContext;
import javax.naming.ldap.LdapContext;
import javax.naming.ldap.PagedResultsControl;
import javax.naming.ldap.PagedResultsResponseControl;
import javax.naming.ldap.StartTlsRequest;
import javax.naming.ldap.StartTlsResponse;

/** A Java application's sign-in by JNDI, on one connection: the service account looks the person up, who then binds. */
public class SignIn {
    private static LdapContext context;
    private static String base;

    // SignIn URL BASE SERVICE-DN SERVICE-PASSWORD NAME PASSWORD
    public static void main(String[] args) throws Exception {
        base = args[1];
        boolean startTLS = args[0].startsWith("ldap:");
        Hashtable<String, String> settings = new Hashtable<>();
        settings.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.ldap.LdapCtxFactory");
        settings.put(Context.PROVIDER_URL, args[0]);
        settings.put(Context.SECURITY_AUTHENTICATION, "none");
        context = new InitialLdapContext(settings, null);
        if (startTLS) {
            ((StartTlsResponse) context.extendedOperation(new StartTlsRequest())).negotiate();
        }
        bind(args[2], args[3]);
        System.out.println("pages " + pages());
        String dn = search(args[4]);
        bind(dn, args[5]);
        search(args[4]);
        try {
            context.destroySubcontext(dn);
            System.out.println("deleted");
        } catch (OperationNotSupportedException e) {
            System.out.println("delete " + e.getMessage());
        }
        bind(dn, "not-" + args[5]);
        search(args[4]);
        context.close();
    }

    private static void bind(String dn, String password) throws Exception {
        context.addToEnvironment(Context.SECURITY_AUTHENTICATION, "simple");
        context.addToEnvironment(Context.SECURITY_PRINCIPAL, dn);
        context.addToEnvironment(Context.SECURITY_CREDENTIALS, password);
        try {
            context.reconnect(null);
            System.out.println("bind");
        } catch (AuthenticationException e) {
            System.out.println("bind " + e.getMessage());
        }
    }

    private static SearchControls below() {
        SearchControls controls = new SearchControls();
        controls.setSearchScope(SearchControls.SUBTREE_SCOPE);
        return controls;
    }

    private static String search(String name) throws Exception {
        try {
            NamingEnumeration<SearchResult> found = context.search(base, "(uid={0})", new Object[] {name}, below());
            SearchResult entry = found.next();
            Attributes attributes = entry.getAttributes();
            System.out.println("search " + entry.getNameInNamespace() + " " + attributes.get("uid").get());
            return found.hasMore() ? null : entry.getNameInNamespace();
        } catch (NoPermissionException e) {
            System.out.println("search " + e.getMessage());
            return null;
        }
    }

    private static int pages() throws Exception {
        int n = 0;
        byte[] cookie = null;
        do {
            context.setRequestControls(new Control[] {new PagedResultsControl(2, cookie, Control.CRITICAL)});
            NamingEnumeration<SearchResult> found = context.search(base, "(objectClass=person)", below());
            for (; found.hasMore(); n++) {
                found.next();
            }
            cookie = ((PagedResultsResponseControl) context.getResponseControls()[0]).getCookie();
        } while (cookie != null);
        context.setRequestControls(null);
        return n;
    }
}
