// Thousands of messages a second while the server and PostgreSQL are killed; then every message is looked for, in PostgreSQL and in the log.
using System.Globalization;
using Estat.Topics.Chaos;

try
{
    var options = OracleOptions.Parse(args);
    if (!PostgresServer.Available(out string reason))
    {
        Console.Error.WriteLine(reason);
        return 2;
    }

    IReadOnlyList<string> faults;
    try
    {
        faults = await RunAsync(options);
    }
    catch (TimeoutException error)
    {
        faults = [error.Message]; // what should have come did not
    }

    foreach (string fault in faults)
    {
        Console.WriteLine($"BROKEN: {fault}");
    }

    Console.WriteLine(faults.Count == 0 ? "Every promise held."
        : string.Create(CultureInfo.InvariantCulture, $"{faults.Count} kinds of faults. Again: --seed {options.Seed}"));
    return faults.Count == 0 ? 0 : 1;
}
catch (FormatException error)
{
    Console.Error.WriteLine(error.Message);
    Console.Error.WriteLine(OracleOptions.Usage);
    return 2;
}

static async Task<IReadOnlyList<string>> RunAsync(OracleOptions options)
{
    if (options.Outage is { } time)
    {
        await using var outage = new OutageRun(options, time, Console.Out);
        return await outage.RunAsync();
    }

    await using var run = new OracleRun(options, Console.Out);
    return await run.RunAsync();
}
