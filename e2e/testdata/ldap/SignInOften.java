import javax.naming.AuthenticationException;

/** Signs people in by the class of docs/ldap/jndi.md: SignInOften PASSWORD-OF-SERVICE, then name and password of each. */
public class SignInOften {
    public static void main(String[] args) throws Exception {
        for (int i = 1; i < args.length; i += 2) {
            try {
                System.out.println(People.signIn(args[0], args[i], args[i + 1]));
            } catch (AuthenticationException e) {
                System.out.println("refused " + e.getMessage());
            }
        }
    }
}
