// An HTTP fuzzer for the real server. Exit code 0: nothing wrong; 1: a fault, with the case and how to see it again; 2: a wrong command line.
using Estat.Fuzz;

try
{
    return await FuzzRun.RunAsync(FuzzOptions.Parse(args), Console.Out) ? 0 : 1;
}
catch (FormatException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
