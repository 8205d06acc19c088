using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.Extensions.Configuration;
using OKLA.Host;

namespace OKLA.Tests.Host;

/// <summary>The shipped appsettings.json is the manual of every setting: written from the options classes, with their own words as comments.</summary>
public sealed partial class AppSettingsTests
{
    private const string Head = """
          // Every setting with its default. A line that begins with // and a name is a setting without one.
          // Environment variables (Section__Name) and the command line (--Section:Name=value) override this file.
          "Logging": {
            "LogLevel": {
              "Default": "Information",
              "Microsoft": "Warning",
              "Npgsql": "Warning",
              "Quartz": "Warning",
              "System": "Warning"
            }
          },
          "AllowedHosts": "*",
          // The PostgreSQL to use (15 or newer), as Npgsql's connection string; with none the embedded server starts.
          "ConnectionStrings": {
            // "Okla": "Host=…;Username=…;Password=…;Database=okla"
          },
        """;

    private static readonly string Root = HostFolders.ContentRoot();

    [Test]
    public void The_shipped_file_is_the_manual_of_every_setting()
    {
        var expected = Render();
        var file = Path.Combine(Root, "appsettings.json");
        if (File.ReadAllText(file) != expected)
        {
            var received = Path.Combine(Root, "appsettings.received.json");
            File.WriteAllText(received, expected);
            Assert.Fail("appsettings.json differs from what the options classes say; if they are right, move appsettings.received.json over it.");
        }
    }

    [Test]
    public void Every_bound_section_is_in_the_manual()
    {
        var bound = new[] { "Shared", "OKLA.Host", "Modules" }
            .SelectMany(room => Directory.EnumerateFiles(Path.Combine(Root, room), "*.cs", SearchOption.AllDirectories))
            .SelectMany(file => Bound().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups[1].Value)
            .Distinct();

        bound.ShouldBeSubsetOf(Sections().Select(section => section.Name));
    }

    [Test]
    public void Every_value_in_the_manual_binds_to_the_default_it_stands_for()
    {
        var configuration = new ConfigurationBuilder().AddJsonFile(Path.Combine(Root, "appsettings.json")).Build();

        foreach (var (name, type) in Sections())
        {
            var bound = configuration.GetSection(name).Get(type) ?? Activator.CreateInstance(type)!;
            JsonSerializer.Serialize(bound, type).ShouldBe(JsonSerializer.Serialize(Activator.CreateInstance(type)!, type), name);
        }
    }

    private static List<(string Name, Type Type)> Sections() =>
        [.. Rooms.Assemblies.SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal) && type is { IsClass: true, IsAbstract: false } && SectionOf(type) is not null)
            .Select(type => (SectionOf(type)!, type))
            .OrderBy(section => section.Item1, StringComparer.Ordinal)];

    /// <summary>An options class names its section in its summary: <c>section <c>Cache</c></c>.</summary>
    private static string? SectionOf(Type type) =>
        Document(type).FirstOrDefault(member => member.Attribute("name")!.Value == $"T:{type.FullName}")?.Element("summary") is { } summary
        && SectionName().Match(summary.ToString()) is { Success: true } match ? match.Groups[1].Value : null;

    private static string Render()
    {
        var text = new StringBuilder("{\n").Append(Head.ReplaceLineEndings("\n")).Append('\n');
        var sections = Sections();
        for (var i = 0; i < sections.Count; i++)
        {
            var (name, type) = sections[i];
            Comment(text, "  ", Summary($"T:{type.FullName}", type));
            text.Append(CultureInfo.InvariantCulture, $"  \"{name}\": ");
            WriteObject(text, Activator.CreateInstance(type)!, "  ");
            text.Append(i == sections.Count - 1 ? "\n" : ",\n");
        }

        return text.Append("}\n").ToString();
    }

    private static void WriteObject(StringBuilder text, object value, string indent)
    {
        text.Append("{\n");
        var properties = value.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(property => property.CanWrite || IsList(property.PropertyType)).ToList();
        var written = properties.Where(property => property.GetValue(value) is not null).ToList();
        foreach (var property in properties)
        {
            Comment(text, indent + "  ", Summary($"P:{property.DeclaringType!.FullName!.Replace('+', '.')}.{property.Name}", property.DeclaringType!));
            var held = property.GetValue(value);
            text.Append(indent).Append("  ").Append(held is null ? "// " : "").Append(CultureInfo.InvariantCulture, $"\"{property.Name}\": ");
            Write(text, held, indent + "  ");
            text.Append(held is not null && property != written[^1] ? ",\n" : "\n");
        }

        text.Append(indent).Append('}');
    }

    private static void Write(StringBuilder text, object? value, string indent)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case bool or string or Enum or TimeSpan or DateOnly or DateTimeOffset or int or long or double or float or decimal:
                text.Append(JsonSerializer.Serialize(value is Enum ? value.ToString() : value));
                break;
            case IDictionary map:
                text.Append(JsonSerializer.Serialize(map).Replace("\":", "\": ").Replace(",\"", ", \""));
                break;
            case IEnumerable items:
                text.Append(JsonSerializer.Serialize(items.Cast<object>()).Replace(",", ", "));
                break;
            default:
                WriteObject(text, value, indent);
                break;
        }
    }

    private static bool IsList(Type type) => typeof(IEnumerable).IsAssignableFrom(type) && type != typeof(string);

    private static void Comment(StringBuilder text, string indent, string summary) => text.Append(indent).Append("// ").Append(summary).Append('\n');

    private static string Summary(string member, Type type)
    {
        var summary = Document(type).FirstOrDefault(element => element.Attribute("name")!.Value == member)?.Element("summary");
        summary.ShouldNotBeNull($"{member} has no summary.");
        var words = Tag().Replace(summary.ToString(), match => match.Groups["name"].Success ? match.Groups["name"].Value.Split('.')[^1] : "");
        return Space().Replace(words, " ").Trim();
    }

    private static IEnumerable<XElement> Document(Type type) =>
        XDocument.Load(Path.ChangeExtension(type.Assembly.Location, ".xml")).Descendants("member");

    [GeneratedRegex(@"BindConfiguration\(""([A-Za-z:]+)""\)")]
    private static partial Regex Bound();

    [GeneratedRegex(@"[Ss]ection\s+<c>([A-Za-z:]+)</c>")]
    private static partial Regex SectionName();

    [GeneratedRegex(@"<see(?:also)?\s+(?:cref|langword)=""(?:[A-Z]:)?(?<name>[^""(]+)[^""]*""\s*/>|<[^>]+>")]
    private static partial Regex Tag();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
