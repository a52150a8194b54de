// An HTTP fuzzer for the real server. Exit code 0: nothing wrong; 1: a fault, with the case and how to see it again; 2: a wrong command line.
using Estat.Fuzz;
using Estat.Fuzz.Differences;

try
{
    return args is ["difference", .. string[] rest]
        ? await DifferenceRun.RunAsync(FuzzOptions.Parse(rest) with { Connections = 16 }, Console.Out) ? 0 : 1
        : await FuzzRun.RunAsync(FuzzOptions.Parse(args), Console.Out) ? 0 : 1;
}
catch (FormatException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
