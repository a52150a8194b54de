global using Estat.Testing;
global using Microsoft.Extensions.Logging;
global using Xunit;
