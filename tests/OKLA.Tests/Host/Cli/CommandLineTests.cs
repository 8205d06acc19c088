using OKLA.Host.Cli;
using OKLA.Shared.Database;

namespace OKLA.Tests.Host.Cli;

public sealed class CommandLineTests
{
    [Test]
    public void No_verb_means_serve() => CommandLine.Parse(["--urls", "http://localhost:1"]).Verb.Name.ShouldBe("serve");

    [Test]
    public void Options_come_with_a_blank_or_an_equals_sign_and_settings_pass_through()
    {
        var read = CommandLine.Parse(["import", "listings", "a.csv", "--map=make=brand,price=precio", "--data", "/tmp/x", "--Database:MaxPoolSize", "7"]);

        (read.Verb.Name, read.Arguments[0]).ShouldBe(("import listings", "a.csv"));
        (read.Text("--map"), read.Text("--data"), read.Text("--source")).ShouldBe(("make=brand,price=precio", "/tmp/x", null));
        read.Configuration.ShouldBe(["--Database:MaxPoolSize=7"]);
    }

    [TestCase("fly", "There is no 'fly'")]
    [TestCase("import", "Did you mean import listings")]
    [TestCase("import listings", "needs FILE")]
    [TestCase("import listings a.csv b.csv", "'b.csv'")]
    [TestCase("simulate --vistors 3", "no option --vistors")]
    [TestCase("simulate --visitors", "--visitors needs a value")]
    [TestCase("simulate --visitors --days 3", "--visitors needs a value")]
    [TestCase("simulate --days 3 --days 4", "twice")]
    [TestCase("simulate --days many", "from 1 to 3,650, not 'many'")]
    [TestCase("simulate --days 0", "from 1 to 3,650")]
    [TestCase("train", "needs MODEL")]
    [TestCase("train crystal-ball", "price-predictor")]
    [TestCase("evaluate crystal-ball", "vehicle-recommender")]
    [TestCase("evaluate all --only lead-scorer,crystal-ball", "There is no model 'crystal-ball'")]
    [TestCase("evaluate all --only ,", "names of models")]
    [TestCase("evaluate lead-scorer --only buyer-churn", "evaluate all")]
    public async Task What_is_not_understood_ends_with_2_and_says_why_without_starting_anything(string line, string expected)
    {
        var (terminal, _, error) = Screen();

        var code = await CommandLine.RunAsync(line.Split(' '), (_, _) => throw new InvalidOperationException("must not be built"), terminal);

        code.ShouldBe(2);
        error.ToString().ShouldContain(expected);
    }

    [TestCase("--help")]
    [TestCase("simulate -h")]
    [TestCase("help")]
    public async Task Help_names_every_verb_and_option(string line)
    {
        var (terminal, output, _) = Screen();

        (await CommandLine.RunAsync(line.Split(' '), (_, _) => throw new InvalidOperationException("must not be built"), terminal)).ShouldBe(0);

        foreach (var verb in CommandLine.Verbs)
        {
            output.ToString().ShouldContain(verb.Name);
            verb.Options.ShouldAllBe(option => output.ToString().Contains(option.Name, StringComparison.Ordinal));
        }
    }

    [Test]
    public async Task A_database_that_does_not_start_is_one_line_and_exit_code_1()
    {
        var (terminal, _, error) = Screen();

        (await CommandLine.RunAsync(["simulate"], (_, _) => throw new DatabaseUnavailableException("The folder is of version 17."), terminal)).ShouldBe(1);

        error.ToString().Trim().ShouldBe("The folder is of version 17.");
    }

    [Test]
    public async Task A_fault_is_printed_whole_and_ends_with_1()
    {
        var (terminal, _, error) = Screen();

        (await CommandLine.RunAsync(["simulate"], (_, _) => throw new InvalidOperationException("broken wire"), terminal)).ShouldBe(1);

        error.ToString().ShouldContain("System.InvalidOperationException: broken wire");
        error.ToString().ShouldContain("at OKLA.");
    }

    [Test]
    public async Task The_host_is_built_with_an_absolute_data_folder_and_quietly_for_a_verb()
    {
        var (terminal, _, _) = Screen();
        HostArguments? seen = null;

        await CommandLine.RunAsync(["simulate", "--data", "there", "--Logging:LogLevel:Default=Debug"], (arguments, _) =>
        {
            seen = arguments;
            throw new DatabaseUnavailableException("enough");
        }, terminal);

        seen!.Serves.ShouldBeFalse();
        // The later of two values wins: the one that was typed.
        seen.Configuration.ShouldBe(
            ["--Logging:LogLevel:Default=Warning", "--Logging:LogLevel:Default=Debug", $"--Database:DataFolder={Path.GetFullPath("there")}"]);
    }

    internal static (Terminal Terminal, StringWriter Out, StringWriter Error) Screen(bool interactive = false, TimeProvider? clock = null)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        return (new Terminal(output, error, interactive, clock ?? TimeProvider.System), output, error);
    }
}
