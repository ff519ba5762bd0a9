/** Reads the wall clock for each line on its standard input, while threads read it all the time;
 * for the line "exec" it hands its input and output to the program that is its argument. */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Instant;

class Clocks {
    static volatile long seen;

    public static void main(String[] arguments) throws Exception {
        for (int i = 0; i < 3; i++) {
            Thread thread = new Thread(() -> { for (;;) seen = System.currentTimeMillis(); });
            thread.setDaemon(true);
            thread.start();
        }
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            if (line.equals("exec")) {
                System.out.println("exec");
                new ProcessBuilder(arguments[0]).inheritIO().start().waitFor();
                continue;
            }
            Instant now = Instant.now();
            long millis = System.currentTimeMillis();
            System.out.println(String.format("%d.%09d %d.%03d", now.getEpochSecond(), now.getNano(),
                millis / 1000, millis % 1000));
        }
    }
}
